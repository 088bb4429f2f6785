use http::HeaderMap;

use super::*;
use crate::verify::Signed;

const BODY: &str = r#"{"id":"a:b\\c","n":1.50,"yes":true,"no":null,"list":[1,2],"one":[7]}"#;

fn filled(template: &str, body: &str) -> Result<String, Box<str>> {
    filled_as("application/json", template, body)
}

fn filled_as(content_type: &str, template: &str, body: &str) -> Result<String, Box<str>> {
    let texts: Vec<String> = template.split('\n').map(str::to_owned).collect();
    let template = Template::compile(&texts).unwrap();
    let mut headers = HeaderMap::new();
    headers.append("content-type", content_type.parse().unwrap());
    headers.append("x-id", "7".parse().unwrap());
    headers.append("x-twice", "1".parse().unwrap());
    headers.append("x-twice", "2".parse().unwrap());
    let request = Request::new(Signed {
        method: "POST",
        url: "https://h.example/in%3Aside?data.id=A%2FB&n=1&n=2",
        path: "/in%3Aside",
        query: Some("data.id=A%2FB&n=1&n=2"),
        headers: &headers,
        body: body.as_bytes(),
    });
    let filling = Filling { request: &request, timestamp: Some("99"), hmac: None };
    template.text(filling).map_err(|Lacking(part)| part)
}

#[test]
fn parts_are_filled_from_the_request() {
    for (template, wanted) in [
        ("v0:{timestamp}:{method}", "v0:99:POST"),
        ("{{{timestamp}}}", "{99}"),
        ("{path}", "/in%3Aside"),
        ("{url|decoded}", "https://h.example/in:side?data.id=A/B&n=1&n=2"),
        ("{header:X-Id}", "7"),
        ("{query:data.id}", "A/B"),
        ("{query:data.id|lower}", "a/b"),
        ("{json:$.id}", "a:b\\c"),
        ("{json:$.n}", "1.50"),
        ("{json:$.yes}", "true"),
        ("{json:$.one[*]}", "7"),
        ("{json:$['id']}", "a:b\\c"),
        ("{json:$.gone|empty}", ""),
        ("{json:$.no|empty}", ""),
        ("{json:$.gone[*].id|empty}", ""),
        ("{query:none|empty|lower}", ""),
    ] {
        assert_eq!(filled(template, BODY).as_deref(), Ok(wanted), "{template}");
    }
}

#[test]
fn a_piece_that_may_lack_is_left_out_whole() {
    assert_eq!(filled("?id:{query:none};\n?req:{header:x-id};\nts:{timestamp};", BODY).as_deref(), Ok("req:7;ts:99;"));
}

/// What stands there twice, or is no single value, is not there: one side could read another value than was signed.
#[test]
fn what_is_not_one_value_lacks() {
    for part in
        ["header:x-twice", "header:none", "query:n", "json:$.list", "json:$.list[*]", "json:$.no", "json:$.gone"]
    {
        assert_eq!(filled(&format!("{{{part}}}"), BODY), Err(part.into()));
    }
    for part in ["header:x-twice|empty", "query:n|empty", "json:$.list|empty", "json:$.list[*]|empty"] {
        assert_eq!(filled(&format!("{{{part}}}"), BODY), Err(part.into()), "several are not nothing");
    }
    assert_eq!(filled("{json:$.id}", "not json"), Err("json:$.id".into()));
}

#[test]
fn a_form_is_sorted_and_glued() {
    let form =
        |template: &str, body: &str| filled_as("application/x-www-form-urlencoded; charset=utf-8", template, body);
    let twilio = "To=%2B18005551212&From=%2B14158675310&Digits=1234&Caller=%2B14158675310&CallSid=CA1234567890ABCDE";
    let wanted = "CallSidCA1234567890ABCDECaller+14158675310Digits1234From+14158675310To+18005551212";
    assert_eq!(form("{form}", twilio).as_deref(), Ok(wanted));
    assert_eq!(form("{form}", "").as_deref(), Ok(""));
    assert_eq!(form("{form}", "b=2&a=1&a=0&b=2").as_deref(), Ok("a0a1b2"));
    assert_eq!(form("{form:a}", "a=x+y").as_deref(), Ok("x y"));
    assert_eq!(form("{form:a}", "a=1&a=2"), Err("form:a".into()));
    for (body, why) in [("a=1&=", "no name"), ("=1", "no name"), (&*"a=1&".repeat(2_001), "too many")] {
        assert_eq!(form("{form}", body), Err("form".into()), "{why}");
    }
}

/// The rules go by the content type; a signature that went by another reading would vouch for what they never see.
#[test]
fn a_body_is_read_as_what_it_is_said_to_be() {
    assert_eq!(filled("{form:a}", "a=1"), Err("form:a".into()));
    assert_eq!(filled("{form}", "a=1"), Err("form".into()));
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/xml", "\"json\""] {
        assert_eq!(filled_as(content_type, "{json:$.id}", BODY), Err("json:$.id".into()), "{content_type}");
    }
    for content_type in ["application/json; charset=utf-8", "Application/CloudEvents+JSON", "text/json"] {
        assert!(filled_as(content_type, "{json:$.id}", BODY).is_ok(), "{content_type}");
    }
}

#[test]
fn what_is_no_template_says_why() {
    for (text, says) in [
        ("{", "not closed"),
        ("{body", "not closed"),
        ("{bo{dy}", "not closed"),
        ("}", "closes nothing"),
        ("{}", "there is no part `{}`"),
        ("{header:}", "there is no part `{header:}`"),
        ("{header:a b}", "does not name a header"),
        ("{json:id}", "$"),
        ("{cookie:a}", "there is no part"),
        ("{body|base}", "there is no modifier `|base`"),
    ] {
        let error = Template::compile(&[text.to_owned()]).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(Template::compile(&["x".repeat(1_025)]).is_err());
}

#[test]
fn only_what_is_always_there_covers_the_body() {
    let covers = |texts: &[&str]| {
        Template::compile(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap().covers_body()
    };
    assert!(covers(&["v0:{timestamp}:{body}"]) && covers(&["{url}{form}"]));
    assert!(!covers(&["{json:$.id}"]) && !covers(&["a", "?{body}"]) && !covers(&["{{body}}"]));
}
