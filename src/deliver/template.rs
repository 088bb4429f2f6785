//! The value of a header: a text with what differs from attempt to attempt in braces.

use crate::clock::Timestamp;
use crate::id::DeliveryId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Id,
    Uuid,
    Type,
    SentUnix,
    Hex,
}

/// What is put in.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    pub delivery: DeliveryId,
    pub of_type: &'a str,
    pub sent_at: Timestamp,
    /// The signature, where there is one.
    pub hex: &'a str,
}

impl Template {
    /// # Errors
    /// Braces that hold no name of a thing that can be put in.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("`{text}` has an open brace"))?;
            let piece = Piece::named(name).ok_or_else(|| format!("`{text}`: nothing is called {{{name}}}"))?;
            pieces.extend((!before.is_empty()).then(|| Piece::Text(before.to_owned())));
            pieces.push(piece);
            rest = after;
        }
        pieces.extend((!rest.is_empty()).then(|| Piece::Text(rest.to_owned())));
        Ok(Self(pieces))
    }

    /// Whether the signature stands in it.
    pub fn is_signature(&self) -> bool {
        self.0.contains(&Piece::Hex)
    }

    pub fn fill(&self, filling: Filling<'_>) -> String {
        self.0.iter().map(|piece| piece.text(filling)).collect()
    }
}

impl Piece {
    fn named(name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "uuid" => Some(Self::Uuid),
            "type" => Some(Self::Type),
            "sent_unix" => Some(Self::SentUnix),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }

    fn text(&self, filling: Filling<'_>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Id => filling.delivery.to_string(),
            Self::Uuid => filling.delivery.uuid().to_string(),
            Self::Type => filling.of_type.to_owned(),
            Self::SentUnix => unix(filling.sent_at).to_string(),
            Self::Hex => filling.hex.to_owned(),
        }
    }
}

/// Whole seconds since 1970.
pub fn unix(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_braces_is_put_in() {
        let at = Timestamp::from_micros(1_736_937_000_999_999).unwrap();
        let delivery = DeliveryId::floor(at);
        let fill =
            |text| Template::parse(text).unwrap().fill(Filling { delivery, of_type: "a.b", sent_at: at, hex: "0f" });
        assert_eq!(fill("sha256={hex}"), "sha256=0f");
        assert_eq!(fill("{id}"), delivery.to_string());
        assert_eq!(fill("{uuid}"), delivery.uuid().to_string());
        assert_eq!(fill("t={sent_unix};{type}."), "t=1736937000;a.b.");
        assert_eq!(fill(""), "");
    }

    #[test]
    fn braces_that_hold_nothing_known_are_refused() {
        for bad in ["{", "{hex", "{}", "{Hex}", "{{hex}}", "{secret}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
