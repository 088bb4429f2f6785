//! Exact decimals, kept by their digits: `12.50` stays `12.50` and equals `12.5`. Never by way of a float.
//! There is no arithmetic beyond moving the point: the gateway carries numbers, it does not compute with them.

use std::fmt;

/// At most this many digits in plain notation, leading zeros not counted.
pub const MOST_DIGITS: usize = 100;

/// A number in plain notation: an optional minus, digits without leading zeros, an optional point and digits.
/// Zero has no sign.
#[derive(Clone, Debug)]
pub struct Decimal(Box<str>);

#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum BadDecimal {
    #[error("not a decimal number, such as -12.50 or 1e3")]
    Grammar,
    #[error("more than {MOST_DIGITS} digits")]
    TooLong,
}

impl Decimal {
    /// Reads the number grammar of JSON (RFC 8259, 6).
    pub fn parse(text: &str) -> Result<Self, BadDecimal> {
        let (negative, rest) = split_sign(text);
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(BadDecimal::Grammar),
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|char| char.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return Err(BadDecimal::Grammar);
        }
        let digits = format!("{whole}{fraction}");
        let point = exponent.checked_add(whole.len() as i64).ok_or(BadDecimal::TooLong)?;
        Self::plain(negative, &digits, point)
    }

    /// The value times 10^`places`: minor units to major ones with a negative number of places.
    pub fn scaled(&self, places: i32) -> Result<Self, BadDecimal> {
        let (negative, rest) = split_sign(&self.0);
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        Self::plain(negative, &format!("{whole}{fraction}"), whole.len() as i64 + i64::from(places))
    }

    /// `0.digits` × 10^`point`, written out.
    fn plain(negative: bool, digits: &str, point: i64) -> Result<Self, BadDecimal> {
        let significant = digits.trim_start_matches('0');
        let zero = significant.is_empty();
        let (point, digits) = if zero && point > 1 { (1, &digits[..1]) } else { (point, digits) };
        let width = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let leading = width - i64::try_from(significant.len()).unwrap_or(i64::MAX);
        let whole_digits = point.saturating_sub(leading).max(0);
        let fraction_digits = width.saturating_sub(point).max(0);
        if whole_digits.saturating_add(fraction_digits) > MOST_DIGITS as i64 {
            return Err(BadDecimal::TooLong);
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let (whole, fraction) = if point <= 0 {
            ("0".to_owned(), format!("{}{digits}", zeros(-point)))
        } else if point >= width {
            (format!("{digits}{}", zeros(point - width)), String::new())
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            (whole.to_owned(), fraction.to_owned())
        };
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            trimmed => trimmed,
        };
        let sign = if negative && !zero { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        Ok(Self(format!("{sign}{whole}{point}{fraction}").into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without trailing zeros after the point: one text for every equal value.
    fn canonical(&self) -> &str {
        if self.0.contains('.') { self.0.trim_end_matches('0').trim_end_matches('.') } else { &self.0 }
    }

    /// A text that sorts by its bytes as the number does, the same for equal numbers: the digits before the point are
    /// filled up with zeros; of a negative number each digit stands for its opposite.
    pub fn sort_key(&self) -> String {
        let (negative, rest) = split_sign(self.canonical());
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let key = format!("{whole:0>MOST_DIGITS$}.{fraction}");
        if !negative {
            return format!("0{key}");
        }
        let turned = |char: char| char.to_digit(10).map_or(char, |digit| char::from(b'j' - digit as u8));
        format!("-{}~", key.chars().map(turned).collect::<String>())
    }

    /// The integer that this number is, if it is one and fits 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        self.canonical().parse().ok()
    }

    /// Whether something else than zeros stands after the point.
    pub fn has_fraction(&self) -> bool {
        self.canonical().contains('.')
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

fn parse_exponent(text: &str) -> Result<i64, BadDecimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|char| char.is_ascii_digit()) {
        return Err(BadDecimal::Grammar);
    }
    text.parse().map_err(|_| BadDecimal::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept_and_exponents_written_out() {
        for (text, plain) in [
            ("12.50", "12.50"),
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("1e2", "100"),
            ("1E-3", "0.001"),
            ("1.5e1", "15"),
            ("1.25e1", "12.5"),
            ("0e999", "0"),
            ("-120e-1", "-12.0"),
            ("0.1e1", "1"),
            ("0.05e1", "0.5"),
            ("12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().as_str(), plain, "{text}");
        }
    }

    #[test]
    fn only_the_grammar_of_json_is_read() {
        for text in ["", "-", "+1", "01", ".5", "5.", "1e", "1e+", "0x1", "1,5", " 1", "1 ", "NaN", "٣", "--1", "1.2.3"]
        {
            assert_eq!(Decimal::parse(text), Err(BadDecimal::Grammar), "{text}");
        }
    }

    #[test]
    fn length_is_bounded_before_anything_is_written_out() {
        assert!(Decimal::parse(&"9".repeat(100)).is_ok());
        assert!(Decimal::parse("1e99").is_ok());
        assert!(Decimal::parse("1e-100").is_ok());
        for text in [
            "1e100",
            "1e999999999999",
            "1e-101",
            "1e99999999999999999999",
            &"9".repeat(101),
            "0.1e-9223372036854775807",
        ] {
            assert_eq!(Decimal::parse(text), Err(BadDecimal::TooLong), "{text}");
        }
    }

    #[test]
    fn equality_is_numeric() {
        let number = |text| Decimal::parse(text).unwrap();
        assert_eq!(number("12.50"), number("12.5"));
        assert_eq!(number("100"), number("1e2"));
        assert_eq!(number("-0.0"), number("0"));
        assert_ne!(number("10"), number("1"));
        assert_eq!(number("5.0").to_i64(), Some(5));
        assert_eq!(number("-9223372036854775808").to_i64(), Some(i64::MIN));
        assert_eq!(number("9223372036854775808").to_i64(), None);
    }

    #[test]
    fn keys_sort_as_numbers_do() {
        let order = [
            "-100", "-12.51", "-12.5", "-12.49", "-2", "-0.5", "-0.05", "0", "0.001", "0.05", "0.5", "1", "2", "10",
            "10.01",
        ];
        let keys = order.map(|text| Decimal::parse(text).unwrap().sort_key());
        assert!(keys.is_sorted_by(|one, next| one < next), "{keys:#?}");
        let key = |text| Decimal::parse(text).unwrap().sort_key();
        assert_eq!((key("12.50"), key("-0.0")), (key("12.5"), key("0")));
    }

    #[test]
    fn scaling_moves_the_point() {
        let scaled = |text, places| Decimal::parse(text).unwrap().scaled(places).unwrap().to_string();
        assert_eq!(scaled("1999", -2), "19.99");
        assert_eq!(scaled("5", -2), "0.05");
        assert_eq!(scaled("-19.99", 2), "-1999");
        assert_eq!(scaled("1.5", 3), "1500");
        assert_eq!(scaled("0", -2), "0.00");
    }
}
