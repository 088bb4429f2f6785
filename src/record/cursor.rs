//! A point of the log as it is written outside.

use std::fmt;
use std::str::FromStr;

use crate::id::ALPHABET;

/// A point of the log: all up to there has been read. Opaque outside, and sorts as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub i64);

const PREFIX: &str = "cur_";
const DIGITS: usize = 13;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        let digit = |place: usize| ALPHABET[(self.0 >> (5 * place) & 31) as usize];
        (0..DIGITS).rev().try_for_each(|place| write!(f, "{}", char::from(digit(place))))
    }
}

/// The text is no cursor that this log has given.
#[derive(Debug, PartialEq, Eq)]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == DIGITS).ok_or(BadCursor)?;
        let add = |number: i64, char: u8| {
            let digit = ALPHABET.iter().position(|known| *known == char)?;
            number.checked_mul(32)?.checked_add(i64::try_from(digit).ok()?)
        };
        digits.bytes().try_fold(0, add).map(Self).ok_or(BadCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_sorts_as_a_text() {
        let numbers = [0, 1, 31, 32, 1_000_000, i64::MAX];
        let texts = numbers.map(|number| Cursor(number).to_string());
        assert_eq!(texts[1], "cur_0000000000001");
        assert!(texts.is_sorted());
        for (number, text) in numbers.iter().zip(&texts) {
            assert_eq!(text.parse(), Ok(Cursor(*number)));
        }
        for bad in ["", "1", "cur_", "cur_1", "cur_000000000000u", "cur_zzzzzzzzzzzzz", "evt_0000000000001"] {
            assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
        }
    }
}
