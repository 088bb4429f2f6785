//! Smallest units to the currency's own, by ISO 4217: 1999 of USD is 19.99, 500 of JPY is 500, 1234 of KWD is 1.234.

use std::collections::BTreeMap;

use serde_json::Value;

use super::number;
use crate::map::input::Input;
use crate::record::value::BadValue;

/// The most digits that `digits` may give a currency; units of ether have as many.
const MOST_DIGITS: i64 = 18;
/// The most currencies that `digits` names.
pub const MOST_OVERRIDES: usize = 200;
/// Currencies whose senders have more letters than ISO 4217 are named in `digits`.
const LONGEST_CODE: usize = 10;

/// Currencies whose digits after the point are not two (ISO 4217, list one, and BYR, which was withdrawn).
pub const NOT_TWO_DIGITS: &[(i32, &[&str])] = &[
    (
        0,
        &[
            "BIF", "BYR", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
    (4, &["CLF", "UYW"]),
];

/// The other codes of ISO 4217, list one, after its amendment 180 (1 January 2026), sorted. Without precious metals,
/// units of account and codes for tests: those have no smaller units.
const TWO_DIGITS: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB", "BOV",
    "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CNY", "COP", "COU", "CRC", "CUP",
    "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD",
    "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD",
    "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP",
    "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "USN", "UYU",
    "UZS", "VED", "VES", "WST", "XAD", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG",
];

/// Withdrawn codes (ISO 4217, list three) that senders still list, and that old events hold which are sent again. Sorted;
/// without those whose digits were counted in two ways, such as TRL.
const WITHDRAWN: &[&str] = &[
    "ANG", "BGN", "CSD", "CUC", "CYP", "EEK", "GHC", "HRK", "LTL", "LVL", "MRO", "MTL", "MZM", "SDD", "SIT", "SKK",
    "SLL", "SRG", "STD", "TMM", "USS", "VEB", "VEF", "ZMK", "ZWD", "ZWL", "ZWN", "ZWR",
];

/// How many digits a currency has after the point. `code` in capitals.
fn digits_of(code: &str) -> Option<i32> {
    let other = NOT_TWO_DIGITS.iter().find(|(_, codes)| codes.contains(&code)).map(|(digits, _)| *digits);
    let has_two = || [TWO_DIGITS, WITHDRAWN].iter().any(|codes| codes.binary_search(&code).is_ok());
    other.or_else(|| has_two().then_some(2))
}

/// A `minor_units` transform.
#[derive(Clone, Debug)]
pub struct MinorUnits {
    currency: Input,
    /// For senders that count otherwise, by code in capitals.
    digits: BTreeMap<String, i32>,
}

impl MinorUnits {
    pub(super) fn check(from: &str, digits: Option<&BTreeMap<String, i64>>) -> Result<Self, String> {
        if digits_of(&from.to_ascii_uppercase()).is_some() {
            return Err(format!(
                "`minor_units` says where the currency's code stands, such as \"$.currency\"; for one that is always \
                 the same write \"const:{from}\""
            ));
        }
        let currency = Input::check(from).map_err(|detail| format!("where `minor_units` looks: {detail}"))?;
        if !currency.is_singular() {
            return Err("the path of `minor_units` can find several nodes; write one that names a single place, such \
                        as \"$.currency\""
                .into());
        }
        let units = Self { currency, digits: overrides(digits)? };
        if let Input::Const(Value::String(code)) = &units.currency
            && let Err(error) = units.digits_of(code)
        {
            return Err(error.detail);
        }
        Ok(units)
    }

    pub(super) fn currency(&self) -> &Input {
        &self.currency
    }

    pub(super) fn apply(&self, node: &Value, code: Option<String>) -> Result<Value, BadValue> {
        let code = code.filter(|code| !code.is_empty());
        let code =
            code.ok_or_else(|| BadValue::new("no_currency", "nothing stands where the currency's code should"))?;
        number::scaled(node, -self.digits_of(&code)?)
    }

    /// Senders write `usd` and `USD`.
    fn digits_of(&self, code: &str) -> Result<i32, BadValue> {
        let capitals = if code.len() > LONGEST_CODE { String::new() } else { code.to_ascii_uppercase() };
        let digits = self.digits.get(&capitals).copied().or_else(|| digits_of(&capitals));
        digits.ok_or_else(|| {
            let detail = "the currency's code is none that ISO 4217 lists with smaller units; name it in `digits`, such \
                          as digits = { XYZ = 2 }";
            BadValue::new("unknown_currency", detail)
        })
    }
}

fn overrides(digits: Option<&BTreeMap<String, i64>>) -> Result<BTreeMap<String, i32>, String> {
    let Some(digits) = digits else { return Ok(BTreeMap::new()) };
    if digits.is_empty() || digits.len() > MOST_OVERRIDES {
        return Err(format!("`digits` names 1 to {MOST_OVERRIDES} currencies, such as digits = {{ ISK = 2 }}"));
    }
    let checked = digits.iter().map(|(code, digits)| {
        let is_code = (2..=LONGEST_CODE).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_code {
            return Err(format!("`digits` names currencies by their codes, such as ISK, and {code:?} is none"));
        }
        let within = i32::try_from(*digits).ok().filter(|_| (0..=MOST_DIGITS).contains(digits));
        let within = within.ok_or_else(|| format!("`digits` of {code} is 0 to {MOST_DIGITS}, not {digits}"))?;
        Ok((code.to_ascii_uppercase(), within))
    });
    checked.collect()
}
