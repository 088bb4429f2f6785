//! The grammar of RFC 9485, sign by sign: what it does not have is refused, the rest written for `regex` and weighed.

use std::iter::Peekable;
use std::str::Chars;

pub(super) struct Walk<'a> {
    signs: Peekable<Chars<'a>>,
    text: String,
}

impl<'a> Walk<'a> {
    /// The pattern as `regex` reads it, and its weight.
    pub(super) fn through(pattern: &'a str) -> Result<(String, usize), String> {
        let mut walk = Self { signs: pattern.chars().peekable(), text: String::with_capacity(4 * pattern.len()) };
        let weight = walk.branches()?;
        match walk.signs.next() {
            None => Ok((walk.text, weight)),
            Some(_) => Err("a `)` closes nothing; the sign itself is written `[)]`".into()),
        }
    }

    /// Up to the end or the `)` of the group.
    fn branches(&mut self) -> Result<usize, String> {
        let mut weight = 0_usize;
        while let Some(sign) = self.signs.next_if(|sign| *sign != ')') {
            if sign == '|' {
                self.text.push('|');
                continue;
            }
            let atom = self.atom(sign)?;
            weight = weight.saturating_add(atom.saturating_mul(self.repetition()?));
        }
        Ok(weight)
    }

    fn atom(&mut self, sign: char) -> Result<usize, String> {
        match sign {
            '(' => return self.group(),
            '[' => self.class()?,
            '\\' => self.escape().map(drop)?,
            // A dot is no line break (RFC 9485, 5.3).
            '.' => self.text.push_str(r"[^\n\r]"),
            '^' | '$' => {
                return Err("leave out `^` and `$`: `match` looks at the whole text, `search` at any part of it; the \
                            signs themselves are written `[\\^]` and `[$]`"
                    .into());
            }
            '*' | '+' | '?' => {
                return Err(format!("nothing stands before `{sign}` to repeat; the sign itself is written `[{sign}]`"));
            }
            ']' => return Err("a `]` closes nothing; the sign itself is written `\\]`".into()),
            '{' | '}' => return Err(braces()),
            other => self.literal(other),
        }
        Ok(1)
    }

    fn group(&mut self) -> Result<usize, String> {
        if self.signs.peek() == Some(&'?') {
            return Err("`(?` is not available; a group is `(…)`".into());
        }
        self.text.push_str("(?:");
        // An empty group costs as well when it is repeated.
        let weight = self.branches()?.max(1);
        self.text.push(')');
        self.signs.next().map(|_| weight).ok_or_else(|| "a `(` is not closed; the sign itself is written `[(]`".into())
    }

    /// How often what stands before is there in the compiled pattern.
    fn repetition(&mut self) -> Result<usize, String> {
        let Some(sign) = self.signs.next_if(|sign| matches!(sign, '*' | '+' | '?' | '{')) else { return Ok(1) };
        let times = if sign == '{' { self.braced()? } else { 1 };
        if sign != '{' {
            self.text.push(sign);
        }
        match self.signs.peek() {
            Some('*' | '+' | '?' | '{') => {
                Err("a repetition stands once; there are no lazy and possessive ones".into())
            }
            _ => Ok(times),
        }
    }

    fn braced(&mut self) -> Result<usize, String> {
        let least = self.digits().ok_or_else(braces)?;
        let is_open = self.signs.next_if_eq(&',').is_some();
        let most = if is_open { self.digits() } else { None };
        if self.signs.next() != Some('}') || most.is_some_and(|most| most < least) {
            return Err(braces());
        }
        let most_text = most.map(|most| most.to_string()).unwrap_or_default();
        self.text.push_str(&format!("{{{least}{}{most_text}}}", if is_open { "," } else { "" }));
        Ok(most.unwrap_or(least).max(1))
    }

    fn digits(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.signs.peek().and_then(|sign| sign.to_digit(10)) {
            self.signs.next();
            number = Some(number.unwrap_or(0_usize).saturating_mul(10).saturating_add(digit as usize));
        }
        number
    }

    /// `[…]`: single signs, ranges and `\p{…}`; a bare `-` stands first or last.
    fn class(&mut self) -> Result<(), String> {
        self.text.push('[');
        if self.signs.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let mut is_first = true;
        loop {
            match self.signs.next().ok_or("a `[` is not closed; the sign itself is written `\\[`")? {
                ']' if is_first => return Err("`[…]` holds nothing; a `]` in it is written `\\]`".into()),
                ']' => break,
                '-' if is_first || self.signs.peek() == Some(&']') => self.literal('-'),
                sign => self.class_part(sign)?,
            }
            is_first = false;
        }
        self.text.push(']');
        Ok(())
    }

    /// A sign, a range or `\p{…}`.
    fn class_part(&mut self, sign: char) -> Result<(), String> {
        let Some(from) = self.class_sign(sign)? else { return Ok(()) };
        let mut ahead = self.signs.clone();
        if ahead.next() != Some('-') || ahead.next() == Some(']') {
            return Ok(());
        }
        self.signs.next();
        self.text.push('-');
        let Some(sign) = self.signs.next() else { return Err("a `[` is not closed".into()) };
        match self.class_sign(sign)? {
            None => Err("a range in `[…]` goes from sign to sign, such as `[A-Z]`".into()),
            Some(to) if to < from => Err(format!("a range in `[…]` goes upwards: `[{to}-{from}]`")),
            Some(_) => Ok(()),
        }
    }

    /// None: not one sign but many (`\p{…}`).
    fn class_sign(&mut self, sign: char) -> Result<Option<char>, String> {
        match sign {
            '\\' => return self.escape(),
            '[' => {
                return Err(
                    "a `[` inside `[…]` is written `\\[`; for `[[:alpha:]]` write `[A-Za-z]`, or `\\p{L}` for \
                            the letters of all languages"
                        .into(),
                );
            }
            '-' => return Err("a `-` in `[…]` stands first, last or between two signs, or is written `\\-`".into()),
            other => self.literal(other),
        }
        Ok(Some(sign))
    }

    /// What stands after `\`; None for `\p{…}`.
    fn escape(&mut self) -> Result<Option<char>, String> {
        let sign = self.signs.next().ok_or("nothing stands after the last `\\`; the sign itself is written `\\\\`")?;
        let meant = match sign {
            'p' | 'P' => return self.category(sign).map(|()| None),
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '(' | ')' | '*' | '+' | '-' | '.' | '?' | '[' | '\\' | ']' | '^' | '{' | '|' | '}' => sign,
            other => return Err(no_escape(other)),
        };
        self.literal(meant);
        Ok(Some(meant))
    }

    /// `{Lu}`: a general category of Unicode.
    fn category(&mut self, letter: char) -> Result<(), String> {
        const CATEGORIES: [(char, &str); 7] =
            [('L', "lmotu"), ('M', "cen"), ('N', "dlo"), ('P', "cdefios"), ('Z', "lps"), ('S', "ckmo"), ('C', "cfno")];
        let is_open = self.signs.next_if_eq(&'{').is_some();
        let major = self.signs.next().and_then(|major| CATEGORIES.iter().find(|(name, _)| *name == major));
        let minor = major.and_then(|(_, minors)| self.signs.next_if(|minor| minors.contains(*minor)));
        let (true, Some((major, _)), Some('}')) = (is_open, major, self.signs.next()) else {
            return Err(format!(
                "`\\{letter}` names a category of Unicode in braces, such as `\\{letter}{{L}}` (letters), \
                 `\\{letter}{{Lu}}` (capitals), `\\{letter}{{Nd}}` (digits)"
            ));
        };
        self.text.extend(['\\', letter, '{', *major].into_iter().chain(minor).chain(['}']));
        Ok(())
    }

    /// By number where `regex` might read more in it, as in `&&`, `~~` and `--`.
    fn literal(&mut self, sign: char) {
        if sign.is_ascii() && !sign.is_ascii_alphanumeric() {
            self.text.push_str(&format!("\\x{:02x}", u32::from(sign)));
        } else {
            self.text.push(sign);
        }
    }
}

fn braces() -> String {
    "`{…}` repeats what stands before it, as in `{3}`, `{2,5}` or `{2,}`; the signs themselves are written `[{]` and \
     `[}]`"
        .into()
}

fn no_escape(sign: char) -> String {
    match sign {
        'd' => "`\\d` is written `[0-9]`".into(),
        'w' => "`\\w` is written `[A-Za-z0-9_]`".into(),
        's' => "`\\s` is written `[ \\t\\n\\r]`".into(),
        'D' => "`\\D` is written `[^0-9]`".into(),
        'W' => "`\\W` is written `[^A-Za-z0-9_]`".into(),
        'S' => "`\\S` is written `[^ \\t\\n\\r]`".into(),
        '$' => "`\\$` is no escape of a pattern; the sign itself is written `[$]`".into(),
        'b' | 'B' | 'A' | 'z' => format!("`\\{sign}` is not available in patterns"),
        other => format!("`\\{other}` is no escape of a pattern; write the sign without `\\`, or in `[…]`"),
    }
}
