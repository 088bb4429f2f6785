//! Why a signature does not fit: the usual slips, each tried, so that only what would have fitted is told. What was
//! expected is never told.

use super::super::sign::request::Request;
use crate::verify::preset;
use crate::verify::raw::{KeyForm, RawTimestamp};
use crate::verify::{RawSignature, Refusal, Scheme, Verdict, verify};

/// The most presets that are named.
const MOST_NAMED: usize = 4;

/// What would have made it fit.
pub fn hints(request: &Request, secrets: &[&str], refusal: &Refusal) -> Vec<String> {
    let trial = Trial { request, secrets };
    let found = match refusal {
        Refusal::Stale => vec![trial.time()],
        Refusal::Mismatch => vec![trial.body(), trial.blanks(), trial.form(), trial.url(), trial.presets()],
        _ => vec![trial.presets()],
    };
    found.into_iter().flatten().collect()
}

struct Trial<'a> {
    request: &'a Request,
    secrets: &'a [&'a str],
}

impl Trial<'_> {
    fn fits(&self, scheme: &Scheme, secrets: &[impl AsRef<[u8]>], url: &str, body: &[u8]) -> bool {
        let mut signed = self.request.signed();
        (signed.url, signed.body) = (url, body);
        verify(scheme, secrets, signed, self.request.now) == Verdict::Pass
    }

    fn fits_scheme(&self, scheme: &Scheme) -> bool {
        self.fits(scheme, self.secrets, &self.request.url, &self.request.body)
    }

    /// The scheme's own keys, of a preset's what it stands for, changed in one of them.
    fn changed(&self, change: impl FnOnce(&mut RawSignature)) -> Option<Scheme> {
        let scheme = &self.request.scheme;
        let of_preset = scheme.preset().and_then(|preset| preset.scheme.as_ref().ok());
        let mut raw = of_preset.unwrap_or(scheme).raw().clone();
        raw.url = scheme.raw().url.clone().or(raw.url);
        change(&mut raw);
        Scheme::try_from(raw).ok()
    }

    fn time(&self) -> Option<String> {
        let timeless = self.changed(|raw| {
            raw.timestamp = raw.timestamp.take().map(|timestamp| RawTimestamp { enforced: false, ..timestamp });
        })?;
        let told = "But for its time it would fit; judge it as of then by --at TIME.";
        self.fits_scheme(&timeless).then(|| told.to_owned())
    }

    /// Editors end a file with a newline, senders mostly do not.
    fn body(&self) -> Option<String> {
        let body = &self.request.body;
        let fits = |body: &[u8]| self.fits(&self.request.scheme, self.secrets, &self.request.url, body);
        let cut = body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n"));
        if cut.is_some_and(fits) {
            return Some(
                "It would fit the file without the newline at its end, which was not part of what was sent.".to_owned(),
            );
        }
        let longer = [&b"\n"[..], b"\r\n"].iter().any(|end| fits(&[body, *end].concat()));
        longer.then(|| "It would fit the file with a newline at its end, which was part of what was sent.".to_owned())
    }

    fn blanks(&self) -> Option<String> {
        let trimmed: Vec<&str> = self.secrets.iter().map(|secret| secret.trim()).collect();
        let fits = self.fits(&self.request.scheme, &trimmed, &self.request.url, &self.request.body);
        fits.then(|| "It would fit the secret without the white space around it.".to_owned())
    }

    /// A `whsec_` is part of the key with some senders and only a label with others.
    fn form(&self) -> Option<String> {
        let forms = [
            (KeyForm::Utf8, "", "as it is: secret_form = \"utf8\", without secret_prefix"),
            (KeyForm::Base64, "", "as base64: secret_form = \"base64\""),
            (
                KeyForm::Base64,
                "whsec_",
                "as base64 after `whsec_`: secret_form = \"base64\", secret_prefix = \"whsec_\"",
            ),
            (KeyForm::Hex, "", "as hexadecimal digits: secret_form = \"hex\""),
        ];
        forms.into_iter().find_map(|(form, prefix, words)| {
            let scheme = self.changed(|raw| {
                (raw.secret_form, raw.secret_prefix) = (Some(form), prefix.to_owned());
            })?;
            self.fits_scheme(&scheme).then(|| format!("It would fit when the secret is read {words}."))
        })
    }

    /// Behind a proxy a URL easily loses its `https`.
    fn url(&self) -> Option<String> {
        let url = &self.request.url;
        let other = match url.split_once("://")? {
            ("http", rest) => format!("https://{rest}"),
            (_, rest) => format!("http://{rest}"),
        };
        let turned = match url.strip_suffix('/') {
            Some(bare) => bare.to_owned(),
            None => format!("{url}/"),
        };
        let fits = |url: &&String| self.fits(&self.request.scheme, self.secrets, url, &self.request.body);
        [&other, &turned].into_iter().find(fits).map(|url| format!("It would fit the URL {url}"))
    }

    /// Several senders share the names of their headers.
    fn presets(&self) -> Option<String> {
        let own = self.request.scheme.preset().map(|preset| preset.name.as_str());
        let others = preset::all().iter().filter(|preset| Some(preset.name.as_str()) != own);
        let fits = |preset: &&preset::Preset| preset.scheme.as_ref().is_ok_and(|scheme| self.fits_scheme(scheme));
        let names: Vec<_> = others.filter(fits).map(|preset| preset.name.as_str()).take(MOST_NAMED).collect();
        match names[..] {
            [] => None,
            [one] => Some(format!("It would fit the preset {one}.")),
            _ => Some(format!("It would fit the presets {}.", names.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sign::request::RequestArgs;

    const NOW: &str = "2026-01-02T03:04:05Z";
    const SECRET: &str = "c2VjcmV0";

    /// A request as the sender of one scheme makes it, then told to be another's.
    fn sent(scheme: &str, secret: &str, body: &str) -> Request {
        let args = RequestArgs {
            scheme: Some(scheme.to_owned()),
            url: Some("https://a.example/b".to_owned()),
            method: "POST".to_owned(),
            at: Some(NOW.parse().unwrap()),
            ..RequestArgs::default()
        };
        let mut request = args.request(body.as_bytes().to_vec()).unwrap();
        request.sign(secret.as_bytes()).unwrap();
        request
    }

    fn told(request: &Request, secret: &str) -> Vec<String> {
        let verdict = verify(&request.scheme, &[secret], request.signed(), request.now);
        let Verdict::Refused(refusal) = verdict else { panic!("it passes") };
        hints(request, &[secret], &refusal)
    }

    const PLAIN: &str = "header = \"X-Sig\"";

    #[test]
    fn a_newline_too_many_or_too_few_is_found() {
        for (sent_body, file, words) in [
            ("{}", "{}\n", "without the newline"),
            ("{}", "{}\r\n", "without the newline"),
            ("{}\r\n", "{}", "with a newline"),
        ] {
            let mut request = sent(PLAIN, SECRET, sent_body);
            request.body = file.as_bytes().to_vec();
            let told = told(&request, SECRET);
            assert!(told.len() == 1 && told[0].contains(words), "{file:?}: {told:?}");
        }
    }

    #[test]
    fn a_secret_that_is_read_wrongly_is_found() {
        let request = sent(PLAIN, SECRET, "{}");
        assert!(told(&request, " c2VjcmV0\n")[0].contains("white space"));
        for (form, words, secret) in [
            ("secret_form = \"base64\"", "secret_form = \"base64\".", SECRET),
            ("secret_form = \"hex\"", "secret_form = \"hex\"", "0a0b"),
            ("secret_form = \"base64\"\nsecret_prefix = \"whsec_\"", "secret_prefix = \"whsec_\"", "whsec_c2VjcmV0"),
        ] {
            let mut request = sent(&format!("{PLAIN}\n{form}"), secret, "{}");
            let right = std::mem::replace(&mut request.scheme, toml::from_str(PLAIN).unwrap());
            let found = told(&request, secret);
            assert!(found.len() == 1 && found[0].contains(words), "{form}: {found:?}");
            assert!(!found[0].contains(secret), "{found:?}");
            let mut request = sent(PLAIN, secret, "{}");
            request.scheme = right;
            assert!(told(&request, secret)[0].contains("secret_form = \"utf8\""), "{form}");
        }
    }

    #[test]
    fn another_url_or_another_preset_is_found() {
        let mut request = sent(&format!("{PLAIN}\nmessage = \"{{url}}{{body}}\""), SECRET, "{}");
        for (wrong, right) in
            [("http://a.example/b", "https://a.example/b"), ("https://a.example/b/", "https://a.example/b")]
        {
            request.url = wrong.to_owned();
            assert_eq!(told(&request, SECRET), [format!("It would fit the URL {right}")]);
        }
        let github = "header = \"X-Hub-Signature-256\"\nprefix = \"sha256=\"";
        let mut request = sent(github, SECRET, "{}");
        request.scheme = toml::from_str(PLAIN).unwrap();
        let found = told(&request, SECRET);
        assert!(found.len() == 1 && found[0].contains("github"), "also where none was found: {found:?}");
    }

    #[test]
    fn an_old_signature_is_told_from_a_wrong_one() {
        let stripe = &preset::find("stripe").unwrap().name;
        let args =
            RequestArgs { preset: Some(stripe.clone()), at: Some(NOW.parse().unwrap()), ..RequestArgs::default() };
        let mut request = args.request(b"{}".to_vec()).unwrap();
        request.sign(SECRET.as_bytes()).unwrap();
        request.now = request.now.after(std::time::Duration::from_secs(600));
        let found = told(&request, SECRET);
        assert!(found.len() == 1 && found[0].contains("--at"), "{found:?}");
        assert_eq!(told(&request, "another"), [""; 0]);
    }

    #[test]
    fn what_is_simply_wrong_has_no_hint() {
        assert_eq!(told(&sent(PLAIN, SECRET, "{}"), "another"), [""; 0]);
    }
}
