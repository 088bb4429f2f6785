//! `iat`, `nbf`, `exp`: now is 1,700,000,000, the tolerance five minutes.

use super::*;

#[track_caller]
fn timed(claims: &str) -> Result<(), Fault> {
    judge(&Claims::default(), &signed(HEADER, claims))
}

#[test]
fn a_token_says_when() {
    let table = [
        // Issued: five minutes to both sides.
        (r#"{"iat":1700000000}"#, Ok(())),
        (r#"{"iat":1699999700}"#, Ok(())),
        (r#"{"iat":1699999699}"#, Err(Fault::Time)),
        (r#"{"iat":1699999699.999999}"#, Err(Fault::Time)),
        (r#"{"iat":1700000300}"#, Ok(())),
        (r#"{"iat":1700000300.000001}"#, Err(Fault::Time)),
        (r#"{"iat":1700000301}"#, Err(Fault::Time)),
        (r#"{"iat":0}"#, Err(Fault::Time)),
        // Over: on `exp` itself, plus the tolerance.
        (r#"{"exp":1700000060}"#, Ok(())),
        (r#"{"exp":1699999701}"#, Ok(())),
        (r#"{"exp":1699999700.000001}"#, Ok(())),
        (r#"{"exp":1699999700}"#, Err(Fault::Time)),
        // Alone it lies at most a day ahead.
        (r#"{"exp":1700086400}"#, Ok(())),
        (r#"{"exp":1700086401}"#, Err(Fault::Time)),
        (r#"{"exp":1700086401,"iat":1700000000}"#, Ok(())),
        (r#"{"exp":1700086401,"nbf":1700000000}"#, Err(Fault::Time)),
        // Not yet: `nbf` ahead; how long ago says nothing.
        (r#"{"exp":1700000060,"nbf":1700000300}"#, Ok(())),
        (r#"{"exp":1700000060,"nbf":1700000301}"#, Err(Fault::Time)),
        (r#"{"exp":1700000060,"nbf":1}"#, Ok(())),
        // Each must hold.
        (r#"{"iat":1700000000,"exp":1699999000}"#, Err(Fault::Time)),
        (r#"{"iat":1699990000,"exp":1700000060}"#, Err(Fault::Time)),
        (r#"{"iat":1700000000,"nbf":1700000400}"#, Err(Fault::Time)),
        // Nothing that bounds it.
        (r#"{}"#, Err(Fault::Untimed)),
        (r#"{"nbf":1700000000}"#, Err(Fault::Untimed)),
        (r#"{"Exp":1700000060}"#, Err(Fault::Untimed)),
    ];
    for (claims, verdict) in table {
        assert_eq!(timed(claims), verdict, "{claims}");
    }
}

#[test]
fn a_time_is_a_plain_number_of_seconds() {
    for fine in ["1700000000", "1700000000.0", "1700000000.123456789", "1699999999.5"] {
        assert_eq!(timed(&format!(r#"{{"iat":{fine}}}"#)), Ok(()), "{fine}");
    }
    for odd in [
        "\"1700000000\"",
        "null",
        "true",
        "[1700000000]",
        "{}",
        "-1700000000",
        "-0",
        "1.7e9",
        "17E8",
        "1700000000.5e0",
        "1700000000.1234567e9",
        "1700000000000",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999999999999999999999999999",
        r#"{"$serde_json::private::Number":"1700000000"}"#,
    ] {
        for name in ["iat", "exp", "nbf"] {
            let claims = format!(r#"{{"iat":1700000000,"{name}":{odd}}}"#);
            let claims = if name == "iat" { claims.replacen(r#""iat":1700000000,"#, "", 1) } else { claims };
            assert_eq!(timed(&claims), Err(Fault::Claims), "{claims}");
        }
    }
}
