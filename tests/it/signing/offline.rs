//! Without a gateway.

use super::*;

/// What is signed passes; with another secret it does not, in the words of the door, and no secret is told.
#[test]
fn every_preset_verifies_what_it_signs() {
    let presets: Vec<_> = presets().collect();
    let half = presets.len().div_ceil(2);
    std::thread::scope(|scope| {
        for some in presets.chunks(half) {
            scope.spawn(move || some.iter().for_each(|(preset, scheme)| there_and_back(preset, scheme)));
        }
    });
    assert!(!presets.is_empty());
}

fn there_and_back(preset: &Preset, scheme: &Scheme) {
    let (folder, name) = (folder(), preset.name.as_str());
    let folder = folder.path();
    let (right, wrong) = (secrets(scheme, 1), secrets(scheme, 2));
    let (unsigned, _) = body(preset, scheme, NOW.parse().unwrap());
    let url = url_of(scheme, URL, &unsigned);
    let request = ["body", "--preset", name, "--url", &url, "--at", NOW];
    std::fs::write(folder.join("body"), &unsigned).unwrap();

    let (code, signed) = run(folder, &[&["sign"], &request[..]].concat(), &right.signs);
    assert_eq!(code, 0, "{name}: {signed}");
    let token = scheme.is_token();
    assert!(token || !signed.to_string().contains(&right.signs), "{name}: {signed}");
    std::fs::write(folder.join("body"), filled(unsigned, text(&signed["value"]))).unwrap();
    let headers = signed["headers"].as_object().unwrap().iter();
    let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {}", text(value))).collect();
    let headers = headers.iter().flat_map(|header| ["-H", header]);
    let verify: Vec<&str> = ["verify"].into_iter().chain(request).chain(headers).collect();

    let (code, verdict) = run(folder, &verify, &right.verifies);
    assert_eq!((code, &verdict), (0, &json!({ "verdict": "pass", "hints": [] })), "{name}: {verify:?}");
    let (code, verdict) = run(folder, &verify, &wrong.verifies);
    assert_eq!((code, &verdict["verdict"]), (1, &json!("refused")), "{name}: {verdict}");
    assert_eq!(verdict["code"], "signature_mismatch", "{name}: {verdict}");
    for secret in [&right.signs, &right.verifies, &wrong.verifies] {
        assert!(!verdict.to_string().contains(secret), "{name}: {verdict}");
    }
}

#[test]
fn what_vendors_published_passes() {
    let (code, answer) = run(folder().path(), &["verify", "--self-test"], "");
    let vectors: usize = preset::all().iter().map(|preset| preset.vectors.len()).sum();
    assert_eq!((code, &answer["failures"], &answer["vectors"]), (0, &json!([]), &json!(vectors)));
    let (code, told) = tidegate(folder().path(), &["verify", "--self-test"], &[]);
    assert!(code == 0 && told.ends_with(&format!("{vectors} vectors: all pass\n")), "{told}");
}

/// The vectors of the vendors' documentation, as someone would paste them.
#[test]
fn a_published_request_is_judged_as_of_its_time() {
    let (preset, vector) = {
        let slack = preset::find("slack").unwrap();
        (slack, slack.vectors.first().expect("Slack publishes one"))
    };
    let folder = folder();
    std::fs::write(folder.path().join("body"), &vector.body).unwrap();
    let headers: Vec<String> = vector.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let headers = headers.iter().flat_map(|header| ["-H", header]);
    let verify: Vec<&str> = ["verify", "body", "--preset", &preset.name].into_iter().chain(headers).collect();
    let seconds = (vector.at.as_ref().unwrap().parse::<Timestamp>().unwrap().micros() / 1_000_000).to_string();
    let (code, _) = run(folder.path(), &[&verify[..], &["--at", &seconds]].concat(), &vector.secret);
    assert_eq!(code, 0);
    let (code, verdict) = run(folder.path(), &verify, &vector.secret);
    assert_eq!((code, &verdict["code"]), (1, &json!("timestamp_outside_tolerance")), "{verdict}");
    assert!(verdict["hints"][0].as_str().unwrap().contains("--at"), "{verdict}");

    let environment = [("TIDEGATE_SECRET", vector.secret.as_str())];
    let (code, told) = tidegate(folder.path(), &verify, &environment);
    assert!(code == 1 && told.contains("\n  But for its time it would fit"), "{told}");
    let (code, told) = tidegate(folder.path(), &[&verify[..], &["--at", &seconds]].concat(), &environment);
    assert_eq!(told, "The signature fits: HMAC-SHA256 in hex, header X-Slack-Signature, with a time.\n");
    assert_eq!(code, 0);
}

/// What `preset show` prints can be saved and signed by, in place of the name.
#[test]
fn a_copied_scheme_signs_like_its_preset() {
    let folder = folder();
    std::fs::write(folder.path().join("body"), "{}").unwrap();
    let (code, shown) = run(folder.path(), &["preset", "show", "stripe"], "");
    assert_eq!((code, &shown["name"], &shown["refused"]), (0, &json!("stripe"), &Value::Null), "{shown}");
    assert!(!text(&shown["secret"]).is_empty() && shown["vectors"].is_array(), "{shown}");
    std::fs::write(folder.path().join("stripe.toml"), text(&shown["described"])).unwrap();
    let by_name = run(folder.path(), &["sign", "body", "--preset", "stripe", "--at", NOW], "whsec_x");
    let sign = ["sign", "body", "--scheme", "stripe.toml", "--secret-env", "TIDEGATE_SECRET", "--at", NOW];
    assert_eq!(run(folder.path(), &sign, "whsec_x"), by_name);
    let (code, error) = run(folder.path(), &["sign", "body", "--scheme", "stripe.toml"], "whsec_x");
    assert!(code == 2 && text(&error["error"]["detail"]).contains("STRIPE_SECRET"), "the file names its own: {error}");
    let (code, told) = tidegate(
        folder.path(),
        &["sign", "body", "--preset", "stripe", "--at", NOW],
        &[("TIDEGATE_SECRET", "whsec_x")],
    );
    assert_eq!((code, told), (0, format!("Stripe-Signature: {}\n", text(&by_name.1["value"]))));
}

#[test]
fn presets_are_listed_and_those_that_are_refused_stand_apart() {
    let (code, listed) = run(folder().path(), &["preset", "list"], "");
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|preset| text(&preset["name"]).to_owned()).collect()
    };
    let of = |is: fn(&Preset) -> bool| -> Vec<String> {
        preset::all().iter().filter(|preset| is(preset)).map(|preset| preset.name.clone()).collect()
    };
    assert_eq!((code, names(&listed["presets"])), (0, of(|preset| preset.scheme.is_ok())));
    assert_eq!(names(&listed["refused"]), of(|preset| preset.scheme.is_err()));
    let (code, told) = tidegate(folder().path(), &["preset", "list"], &[]);
    assert_eq!(code, 0);
    for preset in preset::all() {
        assert!(told.contains(&preset.name), "{}", preset.name);
    }
    for (arguments, says) in [
        (&["preset", "show", "githb"][..], "did you mean `github`?"),
        (&["sign", "body", "--preset", "githb"], "did you mean \"github\"?"),
        (&["sign", "body"], "--preset NAME, or --scheme"),
        (&["sign", "body", "--preset", "square"], "give it by --url"),
        (&["verify", "body", "--preset", "svix"], "base64"),
        (&["verify", "body", "--preset", "github", "--secret-env", "NONE"], "NONE"),
    ] {
        let folder = folder();
        std::fs::write(folder.path().join("body"), "{}").unwrap();
        let (code, answer) = run(folder.path(), arguments, "it's a secret");
        assert_eq!(code, 2, "{answer}");
        assert!(text(&answer["error"]["detail"]).contains(says), "{answer}");
        assert!(!answer.to_string().contains("it's a secret"), "{answer}");
    }
}
