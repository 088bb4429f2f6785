//! What was delivered, held against the receivers that each profile is for.

use super::languages::{Receivers, Scheme};
use crate::receiver::Received;

/// Every receiver of the profile takes each delivery and finds the event's type in it; a delivery with Standard Webhooks'
/// headers is taken by their libraries, too, whatever its profile. The same receivers refuse what was changed on the way,
/// and what another secret signed.
#[track_caller]
pub fn every_delivery_verifies(receivers: Receivers, profile: &str, secret: &str, deliveries: &[Received]) {
    assert!(!deliveries.is_empty(), "nothing was delivered");
    let own = Scheme::ALL.into_iter().find(|scheme| scheme.name() == profile);
    let own = own.unwrap_or_else(|| panic!("say who receives the profile {profile}"));
    for delivery in deliveries {
        for event in events(receivers, own, secret, delivery) {
            assert!(
                event.is_some_and(|event| !event.is_empty()),
                "{profile}: no type where its handler looks: {delivery}"
            );
        }
        if delivery.header("webhook-signature").is_some() {
            events(receivers, Scheme::StandardWebhooks, secret, delivery);
        }
    }
}

/// What each receiver finds in it, all of which take it.
#[track_caller]
fn events(receivers: Receivers, scheme: Scheme, secret: &str, delivery: &Received) -> Vec<Option<String>> {
    let mut events = Vec::new();
    for language in scheme.languages() {
        let verify = |secret: &str, request: &Received| receivers.verify(*language, scheme, secret, request);
        let told = |what: &str| format!("{scheme:?} in {language:?}: {what}: {delivery}");
        events.push(verify(secret, delivery).unwrap_or_else(|why| panic!("{}", told(&why))));
        assert!(verify(secret, &altered(delivery)).is_err(), "{}", told("taken with another body"));
        assert!(verify(&other(secret), delivery).is_err(), "{}", told("taken with another secret"));
    }
    events
}

/// With one bit of the body turned, in its middle.
pub fn altered(request: &Received) -> Received {
    let mut altered = request.clone();
    altered.body[request.body.len() / 2] ^= 1;
    altered
}

/// A secret of the same form.
fn other(secret: &str) -> String {
    let (prefix, key) = secret.split_at(if secret.starts_with("whsec_") { "whsec_".len() } else { 0 });
    let first = key.chars().next().expect("a secret is not empty");
    format!("{prefix}{}{}", if first == 'A' { 'B' } else { 'A' }, &key[first.len_utf8()..])
}
