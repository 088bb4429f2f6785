//! What a person, or whoever signs in a sender's place, needs to know of a scheme.

use super::place::Place;
use super::raw::{Algorithm, Encoding};
use super::scheme::Scheme;

impl Scheme {
    /// `HMAC-SHA256 in hex, header X-Hub-Signature-256`: what kind of signature it is and where, on one line.
    pub fn in_words(&self) -> String {
        let checked = &self.checked;
        let is_basic = checked.layout.prefix == "Basic " && checked.encoding == Encoding::Base64;
        let kind = match checked.algorithm {
            Algorithm::Token if is_basic => "basic authentication".to_owned(),
            Algorithm::Token => "token".to_owned(),
            Algorithm::Jwt => format!("JSON Web Token ({})", checked.claims.algorithm.name()),
            algorithm => format!("{} in {}", algorithm.name(), checked.encoding.name()),
        };
        let time = if checked.timestamp.is_some() { ", with a time" } else { "" };
        let place = self.place();
        format!("{kind}, {}{time}", place.strip_prefix("the ").unwrap_or(&place))
    }

    /// Where the signature stands, for people.
    pub fn place(&self) -> String {
        self.checked.place.describe()
    }

    /// Whether it comes in a header: then it can be added to a request whose body and URL stand already.
    pub fn is_in_header(&self) -> bool {
        matches!(self.checked.place, Place::Headers(_))
    }

    /// Whether nothing can be said of a request without its URL.
    pub fn needs_url(&self) -> bool {
        let checked = &self.checked;
        let templates = [Some(&checked.message), checked.body_hash.as_ref()];
        let looks = templates.into_iter().flatten().any(super::template::Template::looks_at_url);
        let hashed = checked.claims.url_hash.is_some();
        matches!(checked.place, Place::Query(_)) || (checked.url.is_none() && (looks || hashed))
    }

    /// Whether a time is part of what is signed: then no two honest requests are signed alike.
    pub fn signs_its_time(&self) -> bool {
        self.checked.timestamp.is_some() && self.checked.message.has_timestamp()
    }

    /// Whether the value is the secret itself, which whoever sees the request has then seen.
    pub fn is_token(&self) -> bool {
        self.checked.algorithm == Algorithm::Token
    }
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64url => "base64url",
            Self::Text => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_told_on_a_line() {
        for (text, words, needs_url) in [
            ("header = \"X-Sig\"", "HMAC-SHA256 in hex, header X-Sig", false),
            (
                "header = \"X-Sig\"\nalgorithm = \"hmac-sha1\"\nencoding = \"base64\"\nmessage = \"{url}{form}\"",
                "HMAC-SHA1 in base64, header X-Sig",
                true,
            ),
            (
                "header = \"X-Sig\"\ntimestamp = { header = \"T\" }\nmessage = [\"{timestamp}{body}\", \"?{query:a}\"]",
                "HMAC-SHA256 in hex, header X-Sig, with a time",
                true,
            ),
            (
                "header = \"X-Sig\"\nmessage = \"{url}{body}\"\nurl = \"https://a.example/b\"",
                "HMAC-SHA256 in hex, header X-Sig",
                false,
            ),
            ("json = \"$.sig\"", "HMAC-SHA256 in hex, member $.sig of the body", false),
            ("query = \"sig\"", "HMAC-SHA256 in hex, query parameter sig", true),
            ("header = \"X-Token\"\nalgorithm = \"token\"", "token, header X-Token", false),
            (
                "header = \"Authorization\"\nalgorithm = \"token\"\nprefix = \"Basic \"\nencoding = \"base64\"",
                "basic authentication, header Authorization",
                false,
            ),
            (
                "header = \"X-Jwt\"\nalgorithm = \"jwt\"\nclaims = { body_hash = \"h\", algorithm = \"ES256\" }",
                "JSON Web Token (ES256), header X-Jwt",
                false,
            ),
        ] {
            let scheme: Scheme = toml::from_str(text).unwrap();
            assert_eq!((scheme.in_words().as_str(), scheme.needs_url()), (words, needs_url), "{text}");
        }
    }
}
