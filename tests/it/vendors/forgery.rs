//! One byte changed: each byte of what is signed, of the signature, of its time and of the secret, set to every other
//! value, taken out, and doubled; and all of these cut short. It runs on `verify` itself, which is what the door calls,
//! because it is some two million requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tidegate::verify::{Scheme, Verdict, verify};

use super::alike::{Body, Url};
use super::cases::{self, Case};
use super::request::Request;
use super::senders::{self, Sender};
use super::{NOON, PUBLIC_URL, noon, scheme, secret, signed, tell};

/// What has become of the requests of one part of one sender.
#[derive(Default)]
struct Tally {
    tried: u64,
    /// Accepted, because they still say what was signed.
    alike: u64,
    /// Accepted all the same.
    forged: Vec<String>,
}

struct Forger<'a> {
    scheme: &'static Scheme,
    of: Sender,
    secret: &'a str,
    request: Request,
    breadth: Breadth,
    tallies: BTreeMap<String, Tally>,
}

/// Of a body with more bytes only bits are turned: Braintree's has six hundred.
const LONG: usize = 512;
/// Forgeries that a failure shows.
const SHOWN: usize = 20;
/// These tests come last in the order of their names, when no others are left to keep the second core busy.
const WORKERS: usize = 2;

#[derive(Clone, Copy)]
enum Breadth {
    /// All 255 other values of a byte.
    Every,
    /// Those that differ in one bit.
    Bits,
}

#[test]
fn one_changed_byte_is_refused() {
    let mut presets: Vec<&str> = cases::CASES.iter().map(|case| case.preset).collect();
    presets.dedup();
    let next = std::sync::Mutex::new(presets.iter());
    let (mut tried, mut alike, mut forged) = (0, 0, Vec::new());
    std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let Some(preset) = next.lock().unwrap().next() else { return done };
                done.push((preset, attack(preset)));
            }
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for (preset, tallies) in workers.into_iter().flat_map(|worker| worker.join().unwrap()) {
            tell(&line(preset, &tallies));
            tried += tallies.values().map(|tally| tally.tried).sum::<u64>();
            alike += tallies.values().map(|tally| tally.alike).sum::<u64>();
            forged.extend(tallies.into_values().flat_map(|tally| tally.forged));
        }
    });
    tell(&format!(
        "one changed byte: tried {tried}, still the same request {alike}, wrongly accepted {}",
        forged.len()
    ));
    assert!(
        forged.is_empty(),
        "accepted at {NOON}, the first of them:\n{}",
        forged[..forged.len().min(SHOWN)].join("\n")
    );
}

fn line(preset: &str, tallies: &BTreeMap<String, Tally>) -> String {
    let mut line = format!("{preset} | tried");
    for (part, Tally { tried, alike, forged }) in tallies {
        write!(line, ", {part} {tried}").unwrap();
        if *alike > 0 {
            write!(line, " (the same {alike})").unwrap();
        }
        if !forged.is_empty() {
            write!(line, " (FORGED {})", forged.len()).unwrap();
        }
    }
    line
}

fn attack(preset: &str) -> BTreeMap<String, Tally> {
    let secret = secret(preset).pasted;
    let mut tallies = BTreeMap::new();
    for (index, case) in cases::of(preset).enumerate() {
        let breadth = if index == 0 { Breadth::Every } else { Breadth::Bits };
        let request = signed(case, &secret, &format!("{PUBLIC_URL}/api/webhooks/vendors/tgt_1"), noon());
        let (scheme, of) = (scheme(preset), senders::of(preset));
        let mut forger = Forger { scheme, of, secret: &secret, request, breadth, tallies };
        assert!(forger.passes(&forger.request, secret.as_bytes()), "{case:?}: {:?}", forger.request);
        forger.headers();
        forger.body();
        forger.address();
        forger.method();
        forger.secrets();
        tallies = forger.tallies;
    }
    tallies
}

impl Forger<'_> {
    fn passes(&self, request: &Request, secret: &[u8]) -> bool {
        verify(self.scheme, &[secret], request.signed(), noon()) == Verdict::Pass
    }

    fn count(&mut self, part: &str, request: &Request, secret: &[u8], is_alike: bool) {
        let passes = self.passes(request, secret);
        let tally = self.tallies.entry(part.to_owned()).or_default();
        tally.tried += 1;
        match (passes, is_alike) {
            (true, true) => tally.alike += 1,
            (true, false) => tally.forged.push(format!("{part}: {request:?} {:?}", String::from_utf8_lossy(secret))),
            (false, _) => {}
        }
    }

    fn headers(&mut self) {
        let signature = self.of.signature.map(|(name, _)| name);
        for name in signature.into_iter().chain(self.of.headers.iter().copied()) {
            let before = self.request.headers[name].to_str().unwrap().to_owned();
            let part = if Some(name) == signature { "signature" } else { name };
            for value in changes(before.as_bytes(), self.breadth) {
                let Some(changed) = self.request.with_header(name, &value) else { continue };
                let is_alike = match self.of.signature {
                    Some((signature, reading)) if signature == name => reading.is_alike(&before, &value),
                    _ => value == before.as_bytes(),
                };
                self.count(part, &changed, self.secret.as_bytes(), is_alike);
            }
            let mut without = self.request.clone();
            without.headers.remove(name);
            self.count(part, &without, self.secret.as_bytes(), false);
        }
    }

    fn body(&mut self) {
        if self.of.body == Body::Unsigned {
            return;
        }
        let before = self.request.body.clone();
        let breadth = if before.len() > LONG { Breadth::Bits } else { self.breadth };
        for body in changes(&before, breadth) {
            let is_alike = self.of.body.is_alike(&before, &body);
            let changed = self.request.with_body(body);
            self.count("body", &changed, self.secret.as_bytes(), is_alike);
        }
    }

    fn address(&mut self) {
        let before = self.request.url.clone();
        let first = match self.of.url {
            Url::Nothing => before.len(),
            Url::Whole | Url::Unescaped => 0,
            Url::Parameter(_) => before.find('?').unwrap() + 1,
        };
        for rest in changes(&before.as_bytes()[first..], self.breadth) {
            let Some(changed) = self.request.with_url(&[&before.as_bytes()[..first], &rest].concat()) else { continue };
            let is_alike = self.of.url.is_alike(&before, &changed.url);
            self.count("url", &changed, self.secret.as_bytes(), is_alike);
        }
    }

    fn method(&mut self) {
        let before = if self.of.method { self.request.method.clone() } else { String::new() };
        for method in changes(before.as_bytes(), self.breadth) {
            let Some(changed) = self.request.with_method(&method) else { continue };
            self.count("method", &changed, self.secret.as_bytes(), false);
        }
    }

    fn secrets(&mut self) {
        let (secret, request) = (self.secret, self.request.clone());
        for changed in changes(secret.as_bytes(), self.breadth) {
            self.count("secret", &request, &changed, self.of.secret.is_alike(secret, &changed));
        }
    }
}

/// All that one changed byte can make of these, each different from them; and their beginnings, down to nothing.
fn changes(bytes: &[u8], breadth: Breadth) -> Vec<Vec<u8>> {
    let differences = match breadth {
        Breadth::Every => (1..=255).collect::<Vec<u8>>(),
        Breadth::Bits => (0..8).map(|bit| 1 << bit).collect(),
    };
    let mut all = Vec::new();
    for at in 0..bytes.len() {
        for difference in &differences {
            let mut changed = bytes.to_vec();
            changed[at] ^= difference;
            all.push(changed);
        }
        all.push([&bytes[..at], &bytes[at + 1..]].concat());
        all.push([&bytes[..=at], &bytes[at..]].concat());
        all.push(bytes[..at].to_vec());
    }
    all
}

/// The request with one bit turned in what its sender signs, such that HTTP and text still carry it.
pub fn forged(case: &Case, request: &Request) -> Request {
    let of = senders::of(case.preset);
    if of.body == Body::Unsigned {
        let name = of.headers[0];
        let value = request.headers[name].as_bytes();
        return request.with_header(name, &one_bit_off(value, |changed| changed != value)).unwrap();
    }
    let is_forged = |changed: &[u8]| !of.body.is_alike(&request.body, changed) && std::str::from_utf8(changed).is_ok();
    request.with_body(one_bit_off(&request.body, is_forged))
}

fn one_bit_off(bytes: &[u8], is_forged: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let off = |at: usize| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        changed
    };
    (0..bytes.len()).map(off).find(|changed| is_forged(changed)).expect("some of it is signed")
}
