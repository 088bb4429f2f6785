use super::*;

#[test]
fn patterns_match_the_whole_or_a_part() {
    for (pattern, text, of_whole, of_part) in [
        ("", "", true, true),
        ("", "a", false, true),
        ("abc", "abc", true, true),
        ("abc", "xabcx", false, true),
        ("abc", "abc\n", false, true),
        ("abc", "ABC", false, false),
        ("a|b", "b", true, true),
        ("a|b", "ab", false, true),
        ("a|", "", true, true),
        ("(draft|test).*", "test-1", true, true),
        ("()a", "a", true, true),
        ("a.c", "a🚀c", true, true),
        ("a.c", "a\nc", false, false),
        ("a.c", "a\rc", false, false),
        ("a[^b]c", "a\nc", true, true),
        ("a{2}", "aa", true, true),
        ("a{2}", "aaa", false, true),
        ("a{2,}", "aaa", true, true),
        ("a{2,3}", "aaaa", false, true),
        ("ba{0}", "b", true, true),
        ("(ab){2}", "abab", true, true),
        ("[a&&b]+", "a&b", true, true),
        ("[a&&b]", "~", false, false),
        ("[a~~b]+", "a~b", true, true),
        ("[-a]+", "a-", true, true),
        ("[a-]+", "a-", true, true),
        ("[a-c-]+", "b-", true, true),
        ("[--]", "-", true, true),
        ("[a\\-c]+", "a-c", true, true),
        ("[a\\-c]", "b", false, false),
        ("[^-]", "-", false, false),
        ("[a^]", "^", true, true),
        ("[\\^]", "^", true, true),
        ("\\^", "^", true, true),
        ("[$]", "$", true, true),
        ("[.*+?(){}|]+", ".*+?(){}|", true, true),
        ("[.]", "a", false, false),
        ("[\\[\\]]+", "[]", true, true),
        ("[!-/]", "#", true, true),
        ("[\\t-\\r]", "\n", true, true),
        ("\\(\\)\\*\\+\\-\\.\\?\\[\\\\\\]\\{\\|\\}", "()*+-.?[\\]{|}", true, true),
        ("\\n\\r\\t", "\n\r\t", true, true),
        ("a b#c", "a b#c", true, true),
        ("a-b,c&d~<>/\"'", "a-b,c&d~<>/\"'", true, true),
        ("\\p{Lu}\\p{L}+", "Éa", true, true),
        ("\\p{Lu}\\p{L}+", "éa", false, false),
        ("\\P{L}", "1", true, true),
        ("[\\p{Nd}x-]+", "٣x-", true, true),
        ("[^\\p{L}]", "a", false, false),
        ("\\p{Cn}|\\p{C}|\\p{Zs}", " ", true, true),
        ("[日-本]", "木", true, true),
        (".*@example[.]com", "a@example.com", true, true),
        ("a[ab]{98}c", "ac", false, false),
    ] {
        let found = (whole(pattern).unwrap().is_match(text), part(pattern).unwrap().is_match(text));
        assert_eq!(found, (of_whole, of_part), "{pattern} in {text:?}");
    }
}

/// Each pattern, and a part of the message.
fn assert_refused(cases: &[(&str, &str)]) {
    for (pattern, message) in cases {
        for bad in [whole(pattern).unwrap_err(), part(pattern).unwrap_err()] {
            assert!(bad.contains(message) && bad.contains("does not read"), "{pattern}: {bad}");
        }
    }
}

#[test]
fn what_i_regexp_does_not_have_is_refused() {
    assert_refused(&[
        ("^a", "leave out `^` and `$`"),
        ("a^", "written `[\\^]`"),
        ("a$", "`[$]`"),
        ("\\$", "written `[$]`"),
        ("\\d", "`[0-9]`"),
        ("[\\d]", "`[0-9]`"),
        ("\\W", "`[^A-Za-z0-9_]`"),
        ("a\\b", "not available"),
        ("\\1", "no escape"),
        ("\\x41", "no escape"),
        ("\\/", "without `\\`"),
        ("a\\", "after the last `\\`"),
        ("\\pLx", "in braces"),
        ("\\p{L", "in braces"),
        ("\\p{", "in braces"),
        ("\\p", "in braces"),
        ("\\p{}", "in braces"),
        ("\\p{Lx}", "in braces"),
        ("\\p{Cs}", "in braces"),
        ("\\P{Greek}", "in braces"),
        ("[\\pL]", "in braces"),
        ("a]", "`]` closes nothing"),
        ("{", "`{…}` repeats"),
        ("}", "`[}]`"),
        ("a{", "`{…}` repeats"),
        ("a{x}", "`{…}` repeats"),
        ("a{,3}", "`{…}` repeats"),
        ("a{2", "`{…}` repeats"),
        ("a{3,2}", "`{…}` repeats"),
        ("a{2,3", "`{…}` repeats"),
        ("a**", "stands once"),
        ("a{2}{3}", "stands once"),
        ("a+?", "stands once"),
        ("a*+", "stands once"),
        ("*a", "nothing stands before `*`"),
        ("a|+", "nothing stands before `+`"),
        ("(*)", "nothing stands before `*`"),
        ("(?:a)", "`(?` is not available"),
        ("(?i)a", "`(?` is not available"),
        ("(a", "`(` is not closed"),
        ("a)", "`)` closes nothing"),
        ("((a)", "`(` is not closed"),
    ]);
}

#[test]
fn classes_that_other_dialects_read_differently_are_refused() {
    assert_refused(&[
        ("[a--b]", "`-` in `[…]`"),
        ("[--a]", "`-` in `[…]`"),
        ("[a-c-e]", "`-` in `[…]`"),
        ("[\\p{L}-z]", "`-` in `[…]`"),
        ("[a-\\p{L}]", "from sign to sign"),
        ("[z-a]", "`[a-z]`"),
        ("[[:alpha:]]", "`[A-Za-z]`"),
        ("[[a]b]", "written `\\[`"),
        ("[a-[b]]", "written `\\[`"),
        ("[].]", "written `\\]`"),
        ("[^]", "holds nothing"),
        ("[]", "holds nothing"),
        ("[a", "`[` is not closed"),
        ("[a-", "`[` is not closed"),
        ("[", "`[` is not closed"),
    ]);
}

#[test]
fn the_weight_of_a_pattern_is_bounded() {
    for pattern in [
        "a[ab]{200}c",
        "a[ab]{99}c",
        "a{101}",
        "a{101,}",
        "a{1,101}",
        "(a{10}){11}",
        "(a{1,50}){1,50}",
        "(((((a{99}){99}){99}){99}){99}){99}",
        "a{99999999999999999999999999999999999999}",
        "a{50}(b|c{51})",
        "(){4000000000}",
        "\\p{L}{100}",
    ] {
        let bad = part(pattern).unwrap_err();
        assert!(bad.contains("too costly") && bad.contains("`[0-9]*` for `[0-9]{1,500}`"), "{pattern}: {bad}");
    }
    let deep = format!("{}{}", "(".repeat(32), ")".repeat(32));
    for pattern in ["a{100}", "(a{10}){10}", "((a*)*)*", "\\p{Lu}\\p{L}+", "\\p{L}{10}", &deep] {
        assert!(part(pattern).is_ok() && whole(pattern).is_ok(), "{pattern}");
    }
    assert!(part(&"a".repeat(65)).unwrap_err().contains("longer than 64 bytes"));
}
