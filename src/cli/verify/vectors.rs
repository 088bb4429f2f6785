//! `tidegate verify --self-test`: every preset against the requests that its vendor has published.

use serde::Serialize;

use super::super::output::{Failure, Output, REFUSED};
use super::super::sign::request::{Request, headers};
use crate::clock::Timestamp;
use crate::verify::preset::{self, Preset, Vector};
use crate::verify::{Verdict, verify};

#[derive(Serialize)]
struct Answer {
    /// Those that have vectors.
    presets: usize,
    vectors: usize,
    failures: Vec<Fault>,
}

#[derive(Serialize)]
struct Fault {
    preset: String,
    /// Which of the preset's, from 1.
    vector: usize,
    origin: String,
    detail: String,
}

pub fn run(output: Output) -> Result<u8, Failure> {
    let answer = check(preset::all());
    output.answer(&answer, || text(&answer))?;
    Ok(if answer.failures.is_empty() { 0 } else { REFUSED })
}

fn check(presets: &[Preset]) -> Answer {
    let with_vectors: Vec<_> = presets.iter().filter(|preset| !preset.vectors.is_empty()).collect();
    let each = with_vectors.iter().flat_map(|preset| {
        let numbered = (1..).zip(&preset.vectors);
        numbered.filter_map(|(number, vector)| {
            let (preset_name, origin) = (preset.name.clone(), vector.origin.clone());
            let fault = |detail| Fault { preset: preset_name, vector: number, origin, detail };
            judge(preset, vector).err().map(fault)
        })
    });
    let failures = each.collect();
    let vectors = with_vectors.iter().map(|preset| preset.vectors.len()).sum();
    Answer { presets: with_vectors.len(), vectors, failures }
}

/// It passes, and under another secret it does not.
fn judge(preset: &Preset, vector: &Vector) -> Result<(), String> {
    let request = request(preset, vector)?;
    let other = format!("{}0", vector.secret);
    let verdict = |secret: &str| verify(&request.scheme, &[secret], request.signed(), request.now);
    match (verdict(&vector.secret), verdict(&other)) {
        (Verdict::Refused(refusal), _) => Err(refusal.problem(&request.scheme).detail().to_owned()),
        (Verdict::Pass, Verdict::Pass) => Err("It passes under another secret, too.".to_owned()),
        (Verdict::Pass, Verdict::Refused(_)) => Ok(()),
    }
}

fn request(preset: &Preset, vector: &Vector) -> Result<Request, String> {
    let given: Vec<_> = vector.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let at = vector.at.as_deref().map_or(Ok(Timestamp::default()), str::parse);
    Ok(Request {
        scheme: preset.scheme.clone()?,
        names: Vec::new(),
        method: vector.method.clone(),
        url: vector.url.clone(),
        headers: headers(&given).map_err(|_| "its headers cannot be read".to_owned())?,
        body: vector.body.clone().into_bytes(),
        now: at.map_err(|error| error.to_string())?,
    })
}

fn text(answer: &Answer) -> String {
    let Answer { presets, vectors, failures } = answer;
    let summary = match failures.len() {
        0 => format!("{presets} presets, {vectors} vectors: all pass"),
        failed => format!("{presets} presets, {vectors} vectors: {failed} do not pass"),
    };
    let line =
        |fault: &Fault| format!("{}, vector {} ({}): {}\n", fault.preset, fault.vector, fault.origin, fault.detail);
    failures.iter().map(line).collect::<String>() + &summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_that_fails_is_named() {
        let mut github = preset::find("github").unwrap().clone();
        let right = check(std::slice::from_ref(&github));
        assert!(right.failures.is_empty());
        github.vectors[0].body.push('.');
        let wrong = check(&[github]);
        let told = text(&wrong);
        assert!(told.starts_with("github, vector 1 (vendor docs): The value of the header X-Hub-Signature-256 is not"));
        assert!(told.ends_with(": 1 do not pass"), "{told}");
        let mut gitless = preset::find("github").unwrap().clone();
        gitless.scheme = Err("no".to_owned());
        assert_eq!(check(&[gitless]).failures[0].detail, "no");
    }

    #[test]
    fn all_that_is_published_passes() {
        let answer = check(preset::all());
        assert_eq!(text(&answer), format!("{} presets, {} vectors: all pass", answer.presets, answer.vectors));
        assert!(answer.presets > 0 && answer.vectors >= answer.presets);
    }
}
