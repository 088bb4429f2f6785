//! JSON's numbers by their value, exactly: `1`, `1.0` and `10e-1` are equal, 9007199254740993 and …992 are not.

use std::cmp::Ordering;

/// Both are numbers by the grammar of JSON.
pub(super) fn order(left: &str, right: &str) -> Ordering {
    if let (Ok(left), Ok(right)) = (left.parse::<i64>(), right.parse::<i64>()) {
        return left.cmp(&right);
    }
    let (left, right) = (Number::read(left), Number::read(right));
    match (left.sign(), right.sign()) {
        (1, 1) => left.size(&right),
        (-1, -1) => right.size(&left),
        (left, right) => left.cmp(&right),
    }
}

/// 0.DIGITS times ten to the power of `exponent`, whose first digit is not zero.
struct Number<'a> {
    is_negative: bool,
    /// Whole part and fraction, whose zeros at the beginning are to be skipped.
    parts: [&'a str; 2],
    /// Saturates: an exponent has at most 1,000 digits itself.
    exponent: i64,
}

impl<'a> Number<'a> {
    fn read(text: &'a str) -> Self {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let beyond = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent).parse().unwrap_or(beyond);
        let exponent = exponent.clamp(i64::MIN / 2, i64::MAX / 2);
        let whole = whole.trim_start_matches('0');
        let zeros = fraction.len() - fraction.trim_start_matches('0').len();
        let places = if whole.is_empty() { -length(zeros) } else { length(whole.len()) };
        Self { is_negative, parts: [whole, fraction], exponent: exponent + places }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.parts.iter().flat_map(|part| part.bytes()).skip_while(|digit| *digit == b'0')
    }

    fn sign(&self) -> i8 {
        match (self.digits().next(), self.is_negative) {
            (None, _) => 0,
            (Some(_), true) => -1,
            (Some(_), false) => 1,
        }
    }

    /// Compares without the sign; neither is zero.
    fn size(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| {
            let (mut left, mut right) = (self.digits(), other.digits());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        unequal => return unequal,
                    },
                }
            }
        })
    }
}

fn length(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value() {
        let ordered = [
            "-1e999999999999999999999999",
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-1.5",
            "-1",
            "-1e-400",
            "0",
            "1e-999999999999999999999999",
            "1e-400",
            "1e-17",
            "0.1",
            "0.10000000000000000001",
            "1",
            "1.5",
            "9.99e1",
            "100",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551616",
            "1e400",
            "1.1e400",
        ];
        for (place, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(order(left, right), place.cmp(&other), "{left} {right}");
            }
        }
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (left, right) in [
            ("1", "1.0"),
            ("10e-1", "1"),
            ("0.001e3", "1E+0"),
            ("-0", "0.00e5"),
            ("120", "1.2e2"),
            ("-12.50", "-1250e-2"),
            ("0e99999999999999999999", "0"),
            ("0.000e-99999999999999999999", "-0.0"),
        ] {
            assert_eq!((order(left, right), order(right, left)), (Ordering::Equal, Ordering::Equal), "{left} {right}");
        }
    }
}
