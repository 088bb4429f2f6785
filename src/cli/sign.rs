//! `tidegate sign`: what a sender would add to a request, without sending it.

pub mod request;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::output::{Failure, Output};
use super::send::read;
use crate::secret::ExposeSecret;
use crate::verify::sign::Signature;
use request::{Request, RequestArgs};

#[derive(Args, Clone, Debug)]
pub struct SignArgs {
    /// The body to sign, byte for byte; `-` is stdin
    pub file: PathBuf,

    /// The environment variable that holds the secret, for a pair of keys the private one [default: TIDEGATE_SECRET]
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,

    #[command(flatten)]
    pub request: RequestArgs,
}

#[derive(Serialize)]
struct Answer {
    /// To be added to the request.
    headers: Map<String, Value>,
    /// The signature's own.
    value: String,
    /// Where that belongs.
    place: String,
}

pub fn run(args: &SignArgs, output: Output) -> Result<u8, Failure> {
    let mut request = args.request.request(read(&args.file)?)?;
    let secrets = request.secrets(args.secret_env.as_slice())?;
    let Some((_, secret)) = secrets.first() else { return Err(Failure::Usage("there is no secret".to_owned())) };
    let signature = request.sign(secret.expose_secret().as_bytes())?;
    output.answer(&answer(&request, &signature), || text(&request, &signature))?;
    Ok(0)
}

fn answer(request: &Request, signature: &Signature) -> Answer {
    let headers = signature.headers.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    Answer { headers: headers.collect(), value: signature.value.clone(), place: request.scheme.place() }
}

/// A line for each header. A value that belongs elsewhere comes last, and where.
fn text(request: &Request, signature: &Signature) -> String {
    let mut lines: Vec<_> = signature.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    if !request.scheme.is_in_header() {
        lines.push(format!("{}\nThis is the value of {}.", signature.value, request.scheme.place()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(scheme: &str, at: &str) -> Request {
        let args = RequestArgs {
            scheme: Some(scheme.to_owned()),
            at: Some(at.parse().unwrap()),
            url: Some("https://a.example/b?c=d".to_owned()),
            method: "POST".to_owned(),
            ..RequestArgs::default()
        };
        args.request(b"{}".to_vec()).unwrap_or_else(|error| panic!("{scheme}: {error:?}"))
    }

    /// The vector of the Standard Webhooks libraries' tests has this secret and time; only the id is another here.
    #[test]
    fn what_is_signed_and_was_not_given_is_made() {
        let scheme = "header = \"webhook-signature\"\nlist = \" \"\nprefix = \"v1,\"\nencoding = \"base64\"\n\
            timestamp = { header = \"Webhook-Timestamp\" }\nmessage = \"{header:webhook-id}.{timestamp}.{body}\"";
        let mut request = request(scheme, "2021-02-25T15:02:10Z");
        let signature = request.sign(b"secret").unwrap();
        let [(id, made), (time, seconds), (name, value)] = &signature.headers[..] else { panic!("{signature:?}") };
        assert_eq!(
            (id.as_str(), time.as_str(), name.as_str()),
            ("webhook-id", "Webhook-Timestamp", "webhook-signature")
        );
        assert!(made.starts_with("msg_") && made.len() == 30, "{made}");
        assert_eq!(seconds, "1614265330");
        assert!(value.starts_with("v1,") && value == &signature.value, "{value}");
        assert_eq!(text(&request, &signature).lines().count(), 3);

        let given = |name: &str, value: &str| request::headers(&[(name.to_owned(), value.to_owned())]).unwrap();
        request.headers = given("webhook-id", "msg_1");
        request.headers.extend(given("webhook-timestamp", "1614265331"));
        let signature = request.sign(b"secret").unwrap();
        assert_eq!(signature.headers.len(), 1, "what is given is taken: {signature:?}");
        let answer = serde_json::to_value(answer(&request, &signature)).unwrap();
        assert_eq!(answer["headers"]["webhook-signature"], answer["value"]);
        assert_eq!(answer["place"], "the header webhook-signature");
    }

    #[test]
    fn a_value_that_belongs_elsewhere_says_where() {
        let mut request = request("json = \"$.sig\"", "2021-02-25T15:02:10Z");
        let signature = request.sign(b"secret").unwrap();
        let told = text(&request, &signature);
        assert_eq!(told, format!("{}\nThis is the value of the member $.sig of the body.", signature.value));
    }

    #[test]
    fn what_cannot_be_signed_says_why() {
        for (scheme, says) in [
            (
                "header = \"S\"\nmessage = \"{url}\"\nbody_hash = \"{query:h}\"",
                "{query:h} is to be the SHA-256 of the body, 44136fa355b3678a1146ad16f7e8649e",
            ),
            ("header = \"S\"\ntimestamp = { json = \"$.at\" }", "the member $.at of the body is missing"),
            ("header = \"S\"\nsecret_form = \"hex\"", "the secret is not of the form"),
            ("header = \"S\"\nmessage = \"{json:$.a}{body}\"", "json:$.a is part of what is signed, and is not there"),
        ] {
            let Err(Failure::Usage(detail)) = request(scheme, "2021-02-25T15:02:10Z").sign(b"secret") else {
                panic!("{scheme}")
            };
            assert!(detail.contains(says), "{detail}");
        }
    }

    #[test]
    fn a_hash_of_the_body_in_a_signed_header_is_made_too() {
        let scheme = "header = \"S\"\nmessage = \"{header:Digest}\"\nbody_hash = \"{header:Digest}\"";
        let signature = request(scheme, "2021-02-25T15:02:10Z").sign(b"secret").unwrap();
        let (name, value) = &signature.headers[0];
        assert_eq!(name, "digest");
        assert!(value.starts_with("44136fa355b3678a1146ad16f7e8649e"), "{value}");
    }
}
