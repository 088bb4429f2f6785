use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    BadConfig, Bounds, ClientArgs, ClientConfig, Config, Database, Environment, LIMITS, Limit, RawConfig, base_url,
    env_secret,
};
use crate::secret::{ExposeSecret, SealKey};

/// A folder, the variables, and perhaps a `tidegate.toml`.
fn environment(variables: &[(&str, &str)], file: &str) -> (tempfile::TempDir, Environment) {
    let folder = tempfile::tempdir().unwrap();
    if !file.is_empty() {
        std::fs::write(folder.path().join("tidegate.toml"), file).unwrap();
    }
    let variables: BTreeMap<_, _> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let environment = Environment { variables, folder: folder.path().to_owned() };
    (folder, environment)
}

fn read(flags: RawConfig, variables: &[(&str, &str)], file: &str) -> Result<Config, BadConfig> {
    let (_folder, environment) = environment(variables, file);
    Config::read(flags, &environment)
}

fn problems(variables: &[(&str, &str)], file: &str) -> Vec<String> {
    let mut lines = read(RawConfig::default(), variables, file).unwrap_err().0;
    lines.sort();
    lines
}

#[test]
fn nothing_said_is_a_gateway_on_this_machine() {
    let config = read(RawConfig::default(), &[], "").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin_listen, None);
    assert_eq!(config.data_dir.to_str(), Some("./tidegate-data"));
    assert!(matches!(config.database, Database::Sqlite));
    assert!(config.public_url.is_none() && config.seal_key.is_none());
    assert!(config.trusted_proxies.is_empty() && config.apply.is_empty());
    assert!(config.allow_targets.is_empty() && config.egress_proxy.is_none());
    assert_eq!(config.bounds, Bounds::default());
}

#[test]
fn a_flag_beats_the_environment_and_that_the_file() {
    let file = "listen = '127.0.0.1:1'\ndata_dir = 'file'\napply = ['a.toml', 'b.toml']\npublic_url = 'http://file'";
    let variables = [("TIDEGATE_LISTEN", "127.0.0.1:2"), ("TIDEGATE_DATA_DIR", "env"), ("TIDEGATE_PUBLIC_URL", "")];
    let flags = RawConfig { listen: Some("127.0.0.1:3".into()), ..RawConfig::default() };
    let config = read(flags, &variables, file).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.data_dir.to_str(), Some("env"));
    assert_eq!(config.public_url.as_deref(), Some("http://file"), "an empty variable is an absent one");
    assert_eq!(config.apply.len(), 2);
}

#[test]
fn a_list_of_one_place_replaces_that_of_a_weaker_one() {
    let file = "trusted_proxies = '10.0.0.0/8, 192.168.0.0/16'";
    assert_eq!(read(RawConfig::default(), &[], file).unwrap().trusted_proxies.len(), 2);
    let config = read(RawConfig::default(), &[("TIDEGATE_TRUSTED_PROXIES", "::1,")], file).unwrap();
    assert_eq!(config.trusted_proxies.len(), 1);
    assert_eq!(config.trusted_proxies[0].to_string(), "::1/128");
}

#[test]
fn deliveries_are_told_where_they_may_go_and_by_which_proxy() {
    let variables =
        [("TIDEGATE_EGRESS_PROXY", "http://me:hunter2@proxy:3128"), ("TIDEGATE_ALLOW_TARGETS", "10.0.0.0/8")];
    let config = read(RawConfig::default(), &variables, "allow_targets = ['::1']").unwrap();
    assert_eq!(config.allow_targets, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(config.egress_proxy.as_ref().map(|proxy| proxy.port), Some(3128));
    assert!(!format!("{config:?}").contains("hunter2"));

    let flags = RawConfig { allow_targets: vec!["lan".into()], ..RawConfig::default() };
    let found = read(flags, &[("TIDEGATE_EGRESS_PROXY", "https://me:hunter2@proxy")], "").unwrap_err().0;
    assert!(found[0].starts_with("--allow-target: `lan` is not an address or a range of addresses"), "{found:?}");
    assert!(found[1].starts_with("TIDEGATE_EGRESS_PROXY: must be http://"), "{found:?}");
    assert!(!found[1].contains("hunter2"));
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let file =
        "data_dir = 5\n\n# a slip of the finger\nlistne = 'x'\ntrusted_proxies = ['10.0.0.0/8', 'lan']\napply = 1.5";
    let variables = [
        ("TIDEGATE_LISTEN", "localhost:8080"),
        ("TIDEGATE_DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("TIDEGATE_PUBLIC_URL", "hooks.example.com"),
        ("TIDEGATE_SEAL_KEY", "short"),
    ];
    let found = problems(&variables, file);
    let expected = [
        "TIDEGATE_DATABASE_URL: must begin with postgres://; leave it out for SQLite in the data directory",
        "TIDEGATE_LISTEN: `localhost:8080` is not an address and a port, such as 127.0.0.1:8080 or [::1]:8080",
        "TIDEGATE_PUBLIC_URL: must be http:// or https://, a host, perhaps a port and a path; no user, query or fragment",
        "TIDEGATE_SEAL_KEY: not a seal key: expected 32 bytes as 64 hex digits or as base64 (`openssl rand -hex 32` makes one)",
        "tidegate.toml:1: data_dir: invalid type: integer `5`, expected path string",
        "tidegate.toml:4: listne: unknown field `listne`, expected one of `listen`,",
        "tidegate.toml:5: trusted_proxies: `lan` is not an address or a range of addresses, such as 10.0.0.0/8 or",
        "tidegate.toml:6: apply: invalid type: floating point `1.5`, expected a list of texts, or one text with commas",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
        assert!(!found.contains("hunter2"));
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let found = problems(&[], "listen = '127.0.0.1:1'\ndata_dir = ");
    assert!(found[0].starts_with("tidegate.toml: TOML parse error at line 2"), "{found:?}");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let found = problems(&[("TIDEGATE_CONFIG", "/nowhere/tidegate.toml")], "listen = '127.0.0.1:1'");
    assert!(found[0].starts_with("TIDEGATE_CONFIG: /nowhere/tidegate.toml: No such file"), "{found:?}");
    let (folder, environment) = environment(&[("TIDEGATE_CONFIG", "/nowhere")], "listen = '127.0.0.1:1'");
    let flags = RawConfig { config: Some(folder.path().join("tidegate.toml")), ..RawConfig::default() };
    assert_eq!(Config::read(flags, &environment).unwrap().listen.port(), 1);
}

#[test]
fn secrets_of_the_environment_are_no_keys_of_the_file() {
    for key in ["seal_key", "seal_key_file", "config"] {
        let found = problems(&[], &format!("{key} = 'x'"));
        assert!(found[0].starts_with(&format!("tidegate.toml:1: {key}: unknown field")), "{found:?}");
    }
}

#[test]
fn a_database_is_postgres_when_its_url_is_given_and_never_shown() {
    let variables = [
        ("TIDEGATE_DATABASE_URL", "postgres://me:hunter2@pool/db"),
        ("TIDEGATE_DATABASE_DIRECT_URL", "postgresql://me:hunter2@db/db"),
    ];
    let config = read(RawConfig::default(), &variables, "").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let Database::Postgres { url, direct_url } = config.database else { panic!("not postgres") };
    assert_eq!(url.expose_secret(), "postgres://me:hunter2@pool/db");
    assert!(direct_url.is_some());
    let found = problems(&variables[1..], "");
    assert_eq!(found, ["TIDEGATE_DATABASE_DIRECT_URL: means nothing without TIDEGATE_DATABASE_URL"]);
}

#[test]
fn one_address_cannot_be_both_doors() {
    let found = problems(&[("TIDEGATE_ADMIN_LISTEN", "127.0.0.1:8080")], "");
    assert_eq!(
        found,
        ["TIDEGATE_ADMIN_LISTEN: 127.0.0.1:8080 is where webhooks are received; leave it out to serve both there"]
    );
    let free = [("TIDEGATE_ADMIN_LISTEN", "127.0.0.1:0"), ("TIDEGATE_LISTEN", "127.0.0.1:0")];
    assert!(read(RawConfig::default(), &free, "").is_ok());
}

#[test]
fn the_seal_key_comes_from_a_variable_or_the_file_it_names() {
    let key = SealKey::generate();
    let text = key.to_text();
    let config = read(RawConfig::default(), &[("TIDEGATE_SEAL_KEY", text.expose_secret())], "").unwrap();
    assert_eq!(config.seal_key.unwrap().id(), key.id());

    let (folder, _) = environment(&[], "");
    let file = folder.path().join("seal");
    std::fs::write(&file, format!("{}\n", text.expose_secret())).unwrap();
    let named = ("TIDEGATE_SEAL_KEY_FILE", file.to_str().unwrap());
    assert_eq!(read(RawConfig::default(), &[named], "").unwrap().seal_key.unwrap().id(), key.id());

    let found = problems(&[named, ("TIDEGATE_SEAL_KEY", text.expose_secret())], "");
    assert_eq!(found, ["TIDEGATE_SEAL_KEY: set together with TIDEGATE_SEAL_KEY_FILE; one of them must go"]);
    let found = problems(&[("TIDEGATE_SEAL_KEY_FILE", "/nowhere/key")], "");
    assert!(found[0].starts_with("TIDEGATE_SEAL_KEY_FILE: /nowhere/key: No such file"), "{found:?}");
}

#[test]
fn a_base_url_loses_its_last_slash_and_carries_nothing_behind_its_path() {
    for (text, url) in [
        ("https://hooks.example.com/", "https://hooks.example.com"),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("http://[::1]:8080/gate/", "http://[::1]:8080/gate"),
        ("http://[::1]", "http://[::1]"),
    ] {
        assert_eq!(base_url(text).as_deref(), Ok(url));
    }
    for text in [
        "",
        "http://",
        "https:///x",
        "ftp://host",
        "host",
        "http://a b",
        "http://host?x=1",
        "http://host#x",
        "http://user@host",
        "http://host:0",
        "http://host:99999",
        "http://host:",
        "http://[::g]",
        "http://höst",
    ] {
        assert!(base_url(text).is_err(), "{text}");
    }
}

#[test]
fn a_client_finds_the_gateway_and_its_key_by_itself() {
    let (folder, environment) =
        environment(&[("TIDEGATE_LISTEN", "0.0.0.0:9000"), ("TIDEGATE_URL", "")], "admin_listen = '[::]:9001'\n");
    let args = ClientArgs { data_dir: Some(folder.path().to_owned()), ..ClientArgs::default() };
    let client = ClientConfig::read(args.clone(), &environment).unwrap();
    assert_eq!(client.url, "http://[::1]:9001", "the API is on the admin's address");
    let missing = client.key.unwrap_err().to_string();
    assert!(missing.starts_with("no API key: give --key or TIDEGATE_KEY, or run where "), "{missing}");
    assert!(missing.contains("admin.key can be read (No such file"), "{missing}");

    std::fs::write(folder.path().join("admin.key"), "tgk_file\n").unwrap();
    let client = ClientConfig::read(args, &environment).unwrap();
    assert_eq!(client.key.unwrap().expose_secret(), "tgk_file");
}

#[test]
fn a_client_takes_the_url_and_key_it_is_given() {
    let (_folder, environment) = environment(&[("TIDEGATE_URL", "https://gate/"), ("TIDEGATE_KEY", "tgk_env")], "");
    let client = ClientConfig::read(ClientArgs::default(), &environment).unwrap();
    assert_eq!((client.url.as_str(), client.key.unwrap().expose_secret()), ("https://gate", "tgk_env"));

    let args = ClientArgs { url: Some("gate".into()), key: Some("tgk_flag".into()), data_dir: None };
    let found = ClientConfig::read(args, &environment).unwrap_err();
    assert!(found.0[0].starts_with("--url: must be http:// or https://"), "{found}");
}

#[test]
fn a_variable_that_is_not_set_is_no_secret() {
    assert!(env_secret("TIDEGATE_TEST_OF_NO_SUCH_VARIABLE").is_none());
    assert!(env_secret("PATH").is_some());
}

#[test]
fn a_limit_is_set_by_the_strongest_place_that_names_it() {
    let file = "[limits]\nconnections = 10\nmax_body = '2MiB'\nbody_time = '90s'\nidle_time = ' 2 m '";
    let variables =
        [("TIDEGATE_LIMIT_MAX_BODY", "64KiB"), ("TIDEGATE_LIMIT_BODY_TIME", "500ms"), ("TIDEGATE_LIMIT_BATCH", "")];
    let flags = RawConfig { limit: vec!["body_time=1h".into(), "queue_bytes=1gib".into()], ..RawConfig::default() };
    let bounds = read(flags, &variables, file).unwrap().bounds;
    let expected = Bounds {
        connections: 10,
        max_body: 64 * 1024,
        body_time: Duration::from_secs(3_600),
        idle_time: Duration::from_secs(120),
        queue_bytes: 1024 * 1024 * 1024,
        ..Bounds::default()
    };
    assert_eq!(bounds, expected);
}

#[test]
fn wrong_limits_are_told_at_once_each_with_its_place_and_its_bounds() {
    let file =
        "listen = '127.0.0.1:1'\n[limits]\nconections = 5\nbatch = true\nheader_time = 10\nheader_bytes = '1GiB'";
    let variables = [("TIDEGATE_LIMIT_HEADER_TIMES", "1s"), ("TIDEGATE_LIMIT_BODY_TIME", "1d")];
    let flags =
        RawConfig { limit: vec!["batch".into(), "batch=0".into(), "nonsense=1".into()], ..RawConfig::default() };
    let mut found = read(flags, &variables, file).unwrap_err().0;
    found.sort();
    let expected = [
        "--limit batch: `0` is out of bounds: 1 to 10000",
        "--limit nonsense: there is no limit `nonsense`. There are: connections, header_time, ",
        "--limit: `batch` is not NAME=VALUE, such as connections=10000",
        "TIDEGATE_LIMIT_BODY_TIME: `1d` is not a time with its unit, such as 500ms, 10s, 5m or 1h",
        "TIDEGATE_LIMIT_HEADER_TIMES: there is no limit `header_times`; did you mean `header_time`?",
        "tidegate.toml:3: limits.conections: there is no limit `conections`; did you mean `connections`?",
        "tidegate.toml:4: limits.batch: expected a number or a text, found boolean",
        "tidegate.toml:5: limits.header_time: `10` is not a time with its unit",
        "tidegate.toml:6: limits.header_bytes: `1GiB` is out of bounds: 1KiB to 1MiB",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    let found = problems(&[], "limits = 5");
    assert!(found[0].starts_with("tidegate.toml:1: limits: invalid type"), "{found:?}");
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let found = problems(&[], "[limits]\nmax_body = '64MiB'");
    let why = "max_body is 64MiB and max_body_ceiling is 32MiB, which is the most that any source takes";
    assert_eq!(found, [format!("tidegate.toml:2: limits.max_body: {why}")]);
    let found = problems(&[("TIDEGATE_LIMIT_BODIES_BYTES", "1MiB")], "");
    let why = "max_body_ceiling is 32MiB and bodies_bytes is 1MiB, so a body of that size would never be taken";
    assert_eq!(found, [format!("TIDEGATE_LIMIT_BODIES_BYTES: {why}")]);
    let both = [("TIDEGATE_LIMIT_MAX_BODY", "64MiB"), ("TIDEGATE_LIMIT_MAX_BODY_CEILING", "64MiB")];
    assert!(read(RawConfig::default(), &both, "").is_ok());
}

/// What the page and the messages print can be written, and each line of the table reaches its own field.
#[test]
fn every_limit_reads_what_it_shows_and_sets_itself_alone() {
    for limit in LIMITS {
        assert!((limit.least..=limit.most).contains(&limit.default), "{}", limit.name);
        assert_eq!((limit.get)(&Bounds::default()), limit.default, "{}", limit.name);
        for number in [limit.least, limit.default, limit.most] {
            assert_eq!(limit.read(&limit.unit.show(number)), Ok(number), "{}", limit.name);
            let mut bounds = Bounds::default();
            (limit.set)(&mut bounds, number);
            for other in LIMITS {
                let expected = if other.name == limit.name { number } else { other.default };
                assert_eq!((other.get)(&bounds), expected, "{} sets {}", limit.name, other.name);
            }
        }
    }
    assert!(Limit::find("header_time").unwrap().read("99999999999999999h").is_err(), "what overflows is no number");
}

#[test]
fn what_happened_is_kept_for_as_long_as_is_said() {
    const DAY: u64 = 86_400;
    let kept = |variables: &[(&str, &str)], file: &str| {
        let keep = read(RawConfig::default(), variables, file).unwrap().keep;
        (keep.changes.as_secs() / DAY, keep.deliveries.as_secs() / DAY)
    };
    assert_eq!(kept(&[], ""), (30, 30));
    assert_eq!(kept(&[("TIDEGATE_KEEP_CHANGES", "720h")], "keep_changes = 90\nkeep_deliveries = '7d'"), (30, 7));
    assert_eq!(kept(&[], "keep_changes = 7"), (7, 7), "deliveries need their changes");
    assert_eq!(kept(&[], "keep_changes = 90"), (90, 30));
    let keep = read(RawConfig::default(), &[("TIDEGATE_KEEP_EVENTS", "36h")], "keep_audit = 400").unwrap().keep;
    assert_eq!((keep.events.as_secs(), keep.audit.as_secs()), (DAY * 3 / 2, 400 * DAY));
    assert_eq!(kept(&[("TIDEGATE_KEEP_EVENTS", "90d")], ""), (30, 30), "each by itself");
    let found = problems(&[("TIDEGATE_KEEP_CHANGES", "10d")], "keep_deliveries = '264h'");
    let why = "deliveries cannot be kept for 11d when changes are kept for 10d (keep_changes): what is sent again is made \
        from its change";
    assert_eq!(found, [format!("tidegate.toml:1: keep_deliveries: {why}")]);
    let found = problems(&[], "keep_changes = true");
    assert_eq!(found, ["tidegate.toml:1: keep_changes: expected a number or a text"]);
}

#[test]
fn mail_needs_a_server_a_sender_and_someone_to_tell() {
    let all = [
        ("TIDEGATE_SMTP_URL", "smtp://ops:hunter2@mail.example.com"),
        ("TIDEGATE_MAIL_FROM", "Tidegate <tidegate@example.com>"),
        ("TIDEGATE_MAIL_TO", "ops@example.com, Night <night@example.com>"),
    ];
    let config = read(RawConfig::default(), &all, "").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let mail = config.mail.unwrap();
    assert_eq!(
        mail.to.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["ops@example.com", "Night <night@example.com>"]
    );
    assert!(read(RawConfig::default(), &[], "").unwrap().mail.is_none());
    let needs = "mail needs all three of smtp_url, mail_from and mail_to; add";
    assert_eq!(problems(&all[..1], ""), [format!("TIDEGATE_SMTP_URL: {needs} mail_from and mail_to")]);
    assert_eq!(problems(&all[1..], ""), [format!("TIDEGATE_MAIL_FROM: {needs} smtp_url")]);
    let found = problems(&[all[0], ("TIDEGATE_MAIL_FROM", "nobody"), all[2]], "");
    let why = "`nobody` is not an address, such as ops@example.com or Tidegate <tidegate@example.com>";
    assert_eq!(found, [format!("TIDEGATE_MAIL_FROM: {why}")]);
}
