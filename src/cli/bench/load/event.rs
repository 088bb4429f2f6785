//! The events that are sent: bodies of 1 KiB as an order system would send them, signed.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::random;

/// Bytes of a body.
pub const BODY: usize = 1_024;
/// Different records.
pub const KEYS: u64 = 100_000;
/// HMAC's block: a key of this length is used as it is.
const BLOCK: usize = 64;

/// What no rule looks at. It comes first, so that its share of the HMAC is worked out once.
const UNREAD: &str = r#"{"customer":{"id":"cus_8842190","name":"Nordwind Maschinenbau GmbH","email":"einkauf@nordwind.example","vat":"DE811907980","address":{"line1":"Hafenstraße 12","line2":null,"city":"Bremen","postal_code":"28217","country":"DE"}},"currency":"EUR","lines":[{"line":1,"item":"BR-6204-2RS","description":"Deep groove ball bearing","quantity":40,"unit_price":3.85,"tax_rate":0.19},{"line":2,"item":"VT-M8x40","description":"Hexagon bolt, zinc plated","quantity":500,"unit_price":0.12,"tax_rate":0.19}],"shipping":{"method":"freight","incoterm":"DAP","weight_kg":38.5,"insured":true},"tags":["b2b","repeat"],"note":""#;

/// Numbers of events begin below this one, and stay below ten times as much.
const MOST_FIRST: u64 = 1_000_000_000_000;

/// A sequence of events that repeats no event id, and no record as it is, whatever was sent by another one.
#[derive(Debug)]
pub struct Events {
    secret: String,
    nonce: String,
    /// The beginning of every body.
    fixed: String,
    /// After the whole of `fixed`.
    mac: Hmac<Sha256>,
    next: AtomicU64,
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl Events {
    pub fn new() -> Self {
        let secret = random::<{ BLOCK / 2 }>();
        let mut block = [0; BLOCK];
        HEXLOWER.encode_mut(&secret, &mut block);
        let nonce = HEXLOWER.encode(&random::<4>());
        let filler = BODY.saturating_sub(UNREAD.len() + read(&nonce, 0).len());
        let mut fixed = String::from(UNREAD);
        fixed.extend(std::iter::repeat_n('.', filler));
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(fixed.as_bytes());
        Self {
            secret: HEXLOWER.encode(&secret),
            nonce,
            fixed,
            mac,
            next: AtomicU64::new(u64::from_be_bytes(random()) % MOST_FIRST),
        }
    }

    /// What the bodies are signed with.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The number of the next event.
    pub(super) fn take(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Appends an event: the signature's digits, `between`, and the body.
    pub(super) fn write(&self, number: u64, between: &str, request: &mut Vec<u8>) {
        let read = read(&self.nonce, number);
        let mut mac = self.mac.clone();
        mac.update(read.as_bytes());
        let mut digits = [0; BLOCK];
        HEXLOWER.encode_mut(&mac.finalize().into_bytes(), &mut digits);
        request.extend_from_slice(&digits);
        request.extend_from_slice(between.as_bytes());
        request.extend_from_slice(self.fixed.as_bytes());
        request.extend_from_slice(read.as_bytes());
    }
}

/// The rest of a body: what is read of it. Of the same length for every number, so that lengths are known beforehand.
fn read(nonce: &str, number: u64) -> String {
    // An order of keys that repeats no short pattern.
    let key = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS;
    let mut text = String::with_capacity(256);
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        r#"","id":"{nonce}-{number:013}","type":"order.updated","payload":{{"sku":"SKU-{key:06}","qty":{},"station":"Press {}","price":"{}.50","urgent":{:<5},"due":"2026-03-01T08:00:00Z"}}}}"#,
        MOST_FIRST + number,
        number % 7,
        100 + number % 899,
        number.is_multiple_of(2),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::json;
    use crate::verify::hmac_sha256;

    #[test]
    fn every_body_is_of_the_stated_size_strict_json_and_signed() {
        let events = Events::new();
        let mut ids = std::collections::BTreeSet::new();
        for number in [0, 1, 899, MOST_FIRST] {
            let mut written = Vec::new();
            events.write(number, "|", &mut written);
            let (signature, body) = written.split_at(BLOCK);
            let body = &body[1..];
            assert_eq!(body.len(), BODY);
            let document = json::parse(body).unwrap();
            ids.insert(document["id"].as_str().unwrap().to_owned());
            let expected = HEXLOWER.encode(&hmac_sha256(events.secret().as_bytes(), body));
            assert_eq!(std::str::from_utf8(signature).unwrap(), expected);
        }
        assert_eq!(ids.len(), 4);
    }
}
