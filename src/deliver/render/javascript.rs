//! JSON as JavaScript prints it (ECMA-262, `JSON.stringify`), for receivers that verify what they have parsed and
//! printed again. Texts are escaped in the same way by serde_json, so only numbers and the order of members are here.

/// The largest integer that no other one is rounded to.
const MOST_SAFE: u64 = (1 << 53) - 1;
/// An array index is below this (ECMA-262, 6.1.7); as a name it comes before the others.
const INDEXES: u32 = u32::MAX;

/// The number as JavaScript prints it. None where no double is exactly the number that the text says, or where it is an
/// integer that JavaScript takes for unsafe: such a number is better sent as a text.
pub fn number(text: &str) -> Option<String> {
    let stated = Digits::read(text)?;
    let double: f64 = text.parse().ok()?;
    // Rust prints the shortest digits that read back, and of those the closest, as ECMA-262 asks.
    let shortest = Digits::read(&format!("{double:e}"))?;
    (stated == shortest && !stated.is_unsafe()).then(|| shortest.print())
}

/// The place of an object's member: array indexes first, by number; the others stay as they are.
pub fn place(name: &str) -> u32 {
    let is_canonical = name == "0" || !name.starts_with('0');
    let is_index = is_canonical && name.bytes().all(|char| char.is_ascii_digit());
    name.parse().ok().filter(|_| is_index).unwrap_or(INDEXES)
}

/// A number: 0.DIGITS times ten to the power of `point`. No zero begins or ends the digits; zero has none.
#[derive(Debug, PartialEq, Eq)]
struct Digits {
    is_negative: bool,
    digits: String,
    point: i64,
}

impl Digits {
    /// None for what is no finite number of JSON's grammar, or far beyond any double.
    fn read(text: &str) -> Option<Self> {
        let (is_negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|char| char.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), point: 0 });
        }
        let zeros = all.len() - significant.len();
        let places = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        let point = exponent.parse::<i64>().ok()?.checked_add(places)?;
        Some(Self { is_negative, digits: significant.trim_end_matches('0').to_owned(), point })
    }

    fn is_unsafe(&self) -> bool {
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let Some(zeros) = self.point.checked_sub(length).filter(|zeros| *zeros >= 0) else { return false };
        let power = u32::try_from(zeros).ok().and_then(|zeros| 10_u64.checked_pow(zeros));
        let whole = self.digits.parse::<u64>().unwrap_or(0);
        let size = if self.digits.is_empty() { Some(0) } else { power.and_then(|power| whole.checked_mul(power)) };
        size.is_none_or(|size| size > MOST_SAFE)
    }

    /// ECMA-262, 6.1.6.1.20, without its case for large numbers, which are unsafe integers all of them.
    fn print(&self) -> String {
        let sign = if self.is_negative { "-" } else { "" };
        let (digits, point) = (&self.digits, self.point);
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let inside = usize::try_from(point).ok().and_then(|point| digits.split_at_checked(point));
        match inside {
            _ if digits.is_empty() => "0".to_owned(),
            Some((whole, fraction)) if point > 0 && !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
            _ if point > 0 => format!("{sign}{digits}{}", zeros(point - digits.len() as i64)),
            _ if point > -6 => format!("{sign}0.{}{digits}", zeros(-point)),
            _ => {
                let (first, others) = digits.split_at(1);
                let dot = if others.is_empty() { "" } else { "." };
                format!("{sign}{first}{dot}{others}e{}", point - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_printed_as_node_prints_it() {
        for (text, wanted) in [
            ("299.99", "299.99"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("1e+3", "1000"),
            ("-0", "0"),
            ("-0.0e7", "0"),
            ("0e99999999999999999999", "0"),
            ("-12.50", "-12.5"),
            ("100", "100"),
            ("0.1", "0.1"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-0.00000125", "-0.00000125"),
            ("-0.000000125", "-1.25e-7"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e-300", "1.7976931348623157e-300"),
            ("123456.789e3", "123456789"),
            ("9007199254740991", "9007199254740991"),
            ("-9007199254740991", "-9007199254740991"),
            ("9.007199254740991E+15", "9007199254740991"),
            ("4503599627370495.5", "4503599627370495.5"),
            ("0.30000000000000004", "0.30000000000000004"),
        ] {
            assert_eq!(number(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_a_double_does_not_hold_is_no_number() {
        for text in [
            "9007199254740992",
            "-9007199254740993",
            "1e21",
            "1e400",
            "1e-400",
            "1e99999999999999999999",
            "0.1234567890123456789",
            "12345678901234567890.5",
            "",
            "-",
            "1e",
            "NaN",
            "inf",
            "+1",
            "٣",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn array_indexes_come_first() {
        let mut names = ["b", "10", "a", "9", "01", "4294967295", "4294967294", "-1", "0", "+1", "1.0", ""];
        names.sort_by_key(|name| place(name));
        assert_eq!(names, ["0", "9", "10", "4294967294", "b", "a", "01", "4294967295", "-1", "+1", "1.0", ""]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_the_same_double_and_prints_the_same(double in proptest::num::f64::NORMAL) {
            if let Some(printed) = number(&format!("{double:e}")) {
                proptest::prop_assert_eq!(printed.parse::<f64>().unwrap(), double);
                proptest::prop_assert_eq!(number(&printed), Some(printed.clone()));
            } else {
                proptest::prop_assert!(double.abs() > 9_007_199_254_740_991.0);
            }
        }
    }
}
