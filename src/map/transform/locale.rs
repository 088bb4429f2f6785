//! How languages and countries write numbers (Unicode CLDR 48, `numbers`), as far as the list goes. Where CLDR has a
//! no-break blank between groups, the plain and the narrow one are taken too, since senders write any of them.

use std::fmt;

/// The marks of one language or country.
#[derive(Debug, PartialEq, Eq)]
pub struct Locale {
    /// A language tag of BCP 47.
    pub tag: &'static str,
    pub name: &'static str,
    pub decimal: char,
    /// What may stand between groups; one number keeps to one of them.
    pub marks: &'static [char],
    pub groups: Groups,
}

/// How many digits a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    Thousands,
    /// The last group has three digits, those before it two: 12,34,567.
    Lakhs,
}

const COMMA: &[char] = &[','];
const POINT: &[char] = &['.'];
const BLANK: &[char] = &['\u{a0}', '\u{202f}', ' '];
const BLANK_OR_POINT: &[char] = &['\u{a0}', '\u{202f}', ' ', '.'];
const APOSTROPHE: &[char] = &['’', '\''];

const fn thousands(tag: &'static str, name: &'static str, decimal: char, marks: &'static [char]) -> Locale {
    Locale { tag, name, decimal, marks, groups: Groups::Thousands }
}

const fn lakhs(tag: &'static str, name: &'static str) -> Locale {
    Locale { tag, name, decimal: '.', marks: COMMA, groups: Groups::Lakhs }
}

/// Every language that `number` knows.
pub static LOCALES: &[Locale] = &[
    thousands("en", "English", '.', COMMA),
    lakhs("en-IN", "English in India"),
    lakhs("hi", "Hindi"),
    thousands("de", "German", ',', POINT),
    thousands("de-AT", "German in Austria", ',', BLANK_OR_POINT),
    thousands("de-CH", "German in Switzerland", '.', APOSTROPHE),
    thousands("fr", "French", ',', BLANK),
    thousands("fr-CA", "French in Canada", ',', BLANK),
    thousands("it", "Italian", ',', POINT),
    thousands("it-CH", "Italian in Switzerland", '.', APOSTROPHE),
    thousands("es", "Spanish", ',', POINT),
    thousands("es-MX", "Spanish in Mexico", '.', COMMA),
    thousands("pt", "Portuguese", ',', POINT),
    thousands("pt-BR", "Portuguese in Brazil", ',', POINT),
    thousands("pt-PT", "Portuguese in Portugal", ',', BLANK),
    thousands("nl", "Dutch", ',', POINT),
    thousands("pl", "Polish", ',', BLANK),
    thousands("cs", "Czech", ',', BLANK),
    thousands("sk", "Slovak", ',', BLANK),
    thousands("hu", "Hungarian", ',', BLANK),
    thousands("ro", "Romanian", ',', POINT),
    thousands("bg", "Bulgarian", ',', BLANK),
    thousands("hr", "Croatian", ',', POINT),
    thousands("sl", "Slovenian", ',', POINT),
    thousands("el", "Greek", ',', POINT),
    thousands("ru", "Russian", ',', BLANK),
    thousands("uk", "Ukrainian", ',', BLANK),
    thousands("tr", "Turkish", ',', POINT),
    thousands("sv", "Swedish", ',', BLANK),
    thousands("da", "Danish", ',', POINT),
    thousands("nb", "Norwegian", ',', BLANK),
    thousands("fi", "Finnish", ',', BLANK),
    thousands("et", "Estonian", ',', BLANK),
    thousands("lv", "Latvian", ',', BLANK),
    thousands("lt", "Lithuanian", ',', BLANK),
    thousands("ja", "Japanese", '.', COMMA),
    thousands("zh", "Chinese", '.', COMMA),
    thousands("ko", "Korean", '.', COMMA),
    thousands("id", "Indonesian", ',', POINT),
    thousands("vi", "Vietnamese", ',', POINT),
    thousands("th", "Thai", '.', COMMA),
];

impl Locale {
    pub(super) fn find(tag: &str) -> Option<&'static Self> {
        LOCALES.iter().find(|locale| locale.tag == tag)
    }

    /// The text's digits without the marks between groups; `None` when they do not stand where this locale has them.
    pub(super) fn ungrouped(&self, whole: &str) -> Option<String> {
        let Some(mark) = whole.chars().find(|char| !char.is_ascii_digit()) else { return Some(whole.to_owned()) };
        if !self.marks.contains(&mark) || whole.starts_with('0') {
            return None;
        }
        let groups: Vec<&str> = whole.split(mark).collect();
        let (last, before) = groups.split_last()?;
        let size = match self.groups {
            Groups::Thousands => 3,
            Groups::Lakhs => 2,
        };
        let fits = |(place, group): (usize, &&str)| match place {
            0 => (1..=size).contains(&group.len()),
            _ => group.len() == size,
        };
        let is_digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
        let is_right = last.len() == 3 && before.iter().enumerate().all(fits) && groups.iter().all(is_digits);
        is_right.then(|| groups.concat())
    }
}

/// A number as it stands in this language, for messages: `1.234.567,89`.
impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Blanks are shown as plain ones.
        let mark = self.marks.first().map_or(' ', |mark| if mark.is_whitespace() { ' ' } else { *mark });
        let decimal = self.decimal;
        match self.groups {
            Groups::Thousands => write!(f, "1{mark}234{mark}567{decimal}89"),
            Groups::Lakhs => write!(f, "12{mark}34{mark}567{decimal}89"),
        }
    }
}
