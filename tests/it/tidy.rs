//! The rules of the house, held by reading the tree: rooms and arrows, one homes, sizes, migrations in pairs, nothing
//! left for later. Each failure says where it is and what to do about it. ARCHITECTURE.md says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

mod parse;

/// Rooms in travel order. A file imports from rooms of groups to its left; rooms of one group do not know each other.
const ROOMS: &[&[&str]] = &[
    WORDS,
    &["record"],
    &["verify", "limit", "map"],
    &["source"],
    &["intake"],
    &["store"],
    &["feed", "deliver", "work"],
    &["gateway"],
    &["manage"],
    &["receive", "admin", "console", "cli"],
    &["serve"],
    &["main"], // a crate of its own, which starts what is asked for: it may use all of the library
];

/// These may use one another.
const WORDS: &[&str] = &["clock", "id", "secret", "problem", "config", "condition"];

/// What has one home: consecutive segments of a path, and the files under `src/` that may spell them.
const HOMES: &[(&[&str], &[&str])] = &[
    (&["axum"], &["receive.rs", "receive/", "admin/", "console/", "problem.rs", "serve.rs", "serve/"]),
    (&["sqlx"], &["store/"]),
    (&["reqwest"], &["cli/client.rs"]),
    (&["hyper_util", "client"], &["deliver/post.rs", "deliver/post/"]),
    (&["tokio_rustls"], &["deliver/post.rs", "deliver/post/"]),
    (&["lettre"], &["config/mail.rs", "work/mail.rs"]),
    (&["std", "env"], &["config.rs", "config/"]),
    (&["SystemTime"], &["clock.rs"]),
    (&["Instant", "now"], &["clock.rs"]),
    (&["getrandom"], &["clock.rs"]),
    (&["AssertSqlSafe"], &["store/"]),
];

const MOST_LINES: usize = 500;
const MANY_LINES: usize = 400;
const LONG_FUNCTION: usize = 40;

/// Written in halves, so that this file does not break its own rule.
const FOR_LATER: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
];

struct File {
    /// Relative to the repository, with `/`.
    name: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder of the repository, sorted; none if there is no such folder.
fn files(folder: &str) -> Vec<File> {
    let mut names = Vec::new();
    list(&root().join(folder), &mut names);
    names.sort();
    let read = |path: &PathBuf| File {
        name: path.strip_prefix(root()).unwrap().to_str().expect("file names are UTF-8").replace('\\', "/"),
        text: String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned(),
    };
    names.iter().map(read).collect()
}

fn list(folder: &Path, names: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = !name.starts_with('.') && !["node_modules", "target", "tidegate-data"].contains(&&*name);
        match entry.file_type().unwrap() {
            kind if kind.is_dir() && is_ours => list(&entry.path(), names),
            kind if kind.is_file() => names.push(entry.path()),
            _ => {}
        }
    }
}

fn rust_files(folder: &str) -> Vec<File> {
    let mut files = files(folder);
    files.retain(|file| file.name.ends_with(".rs"));
    files
}

/// A file's module path within the crate: `src/store/event/mod.rs` is `store`, `event`. Its first word is the room.
fn module(file: &str) -> Vec<&str> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    inner.split('/').filter(|part| *part != "mod").collect()
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|group| group.contains(&room))
}

fn may_import(from: &str, to: &str) -> bool {
    from == to || place(to) < place(from) || (WORDS.contains(&from) && WORDS.contains(&to))
}

#[track_caller]
fn hold(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}

/// What breaks the arrows in one file.
fn wrong_arrows(name: &str, text: &str) -> Vec<String> {
    let (module, mut broken) = (module(name), Vec::new());
    for path in parse::paths(&parse::tokens(text)) {
        let absolute = path.absolute(&module);
        let (Some(&"crate"), Some(&to)) = (absolute.first(), absolute.get(1)) else { continue };
        let spelled = path.segments.join("::");
        if place(to).is_none() {
            broken.push(format!("{name}:{}: `{spelled}` names no room: name the room that holds it", path.line));
        } else if !may_import(module[0], to) {
            broken.push(format!("{name}:{}: {} may not import {to} (`{spelled}`)", path.line, module[0]));
        }
    }
    broken
}

#[test]
fn rooms_import_only_from_their_left() {
    let files = rust_files("src");
    let inside = files.iter().filter(|file| file.name != "src/lib.rs");
    let broken: Vec<_> = inside.flat_map(|file| wrong_arrows(&file.name, &file.text)).collect();
    let rule = "A room imports only from rooms to its left (ROOMS in tests/it/tidy.rs). \
                Move what both need to the left, or hand it in as an argument:";
    hold(rule, &broken);
}

#[test]
fn every_file_belongs_to_a_room() {
    let files = rust_files("src");
    let strays = files.iter().filter(|file| file.name != "src/lib.rs" && place(module(&file.name)[0]).is_none());
    let broken: Vec<_> = strays.map(|file| file.name.clone()).collect();
    hold("Move these into a room; a new room needs a place in ROOMS (tests/it/tidy.rs) and ARCHITECTURE.md:", &broken);
}

#[test]
fn lib_rs_only_declares() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let words: Vec<_> = parse::tokens(&text).iter().map(|token| token.text).collect();
    let items = words.split_inclusive(|word| *word == ";");
    let others = items.filter(|item| !matches!(item, ["pub", "mod", _, ";"] | ["mod", _, ";"]));
    let broken: Vec<_> = others.map(|item| item.join(" ")).collect();
    hold("src/lib.rs says `pub mod room;` and nothing else. Move the rest into a room:", &broken);
}

/// Where a file spells `what`. `std::env!` is another thing than `std::env`: it reads nothing at run time.
fn spells(text: &str, what: &[&str]) -> Vec<usize> {
    let paths = parse::paths(&parse::tokens(text));
    let hits = paths.iter().filter(|path| path.segments.windows(what.len()).any(|part| part == what));
    hits.filter(|path| !(path.is_macro_call && path.segments.ends_with(&["env"]))).map(|path| path.line).collect()
}

#[test]
fn one_homes_are_kept() {
    let mut broken = Vec::new();
    for file in rust_files("src") {
        let inner = file.name.trim_start_matches("src/");
        for (what, homes) in HOMES {
            let is_home = |home: &&str| inner == *home || (home.ends_with('/') && inner.starts_with(home));
            if !homes.iter().any(is_home) {
                let say = |line| format!("{}:{line}: `{}` lives in {}", file.name, what.join("::"), homes.join(", "));
                broken.extend(spells(&file.text, what).into_iter().map(say));
            }
        }
    }
    hold("Some things have one home. Call what the home offers, or add to it there:", &broken);
}

#[test]
fn unchecked_sql_has_one_file() {
    let mut files = rust_files("src/store");
    files.retain(|file| !spells(&file.text, &["AssertSqlSafe"]).is_empty());
    let names: Vec<_> = files.into_iter().map(|file| file.name).collect();
    let broken = if names.len() > 1 { names } else { Vec::new() };
    hold(
        "SQL that is put together at run time is vouched for in one file. Keep `AssertSqlSafe` in one of these:",
        &broken,
    );
}

#[test]
fn files_are_short() {
    let (src, tests) = (rust_files("src"), rust_files("tests"));
    let longer = |files: &[File], most: usize| -> Vec<String> {
        let measured = files.iter().map(|file| (&file.name, file.text.lines().count()));
        measured.filter(|(_, lines)| *lines > most).map(|(name, lines)| format!("{name}: {lines} lines")).collect()
    };
    let too_long = [longer(&src, MOST_LINES), longer(&tests, MOST_LINES)].concat();
    hold(&format!("No file has more than {MOST_LINES} lines. Split by verb or noun:"), &too_long);
    let long = longer(&src, MANY_LINES);
    let rule = format!("95 % of the files under src/ have at most {MANY_LINES} lines. Split some of these:");
    hold(&rule, if long.len() * 20 > src.len() { &long } else { &[] });
}

#[test]
fn functions_are_short() {
    let (mut total, mut long) = (0, Vec::new());
    for file in rust_files("src") {
        for function in parse::functions(&parse::tokens(&file.text)) {
            total += 1;
            if function.lines > LONG_FUNCTION {
                long.push(format!("{}:{}: {}, {} lines", file.name, function.line, function.name, function.lines));
            }
        }
    }
    let rule = format!("95 % of the {total} functions have at most {LONG_FUNCTION} lines. Give steps of these a name:");
    hold(&rule, if long.len() * 20 > total { &long } else { &[] });
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = format!("migrations/{database}/");
        files(&folder).iter().map(|file| file.name.replace(&folder, "")).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    let broken: Vec<_> = sqlite.symmetric_difference(&postgres).cloned().collect();
    hold("Every migration stands in migrations/sqlite and migrations/postgres under one name. Only one has:", &broken);
}

/// Whole words only: a placeholder such as the tail of a `mktemp` template is none.
fn is_for_later(line: &str, word: &str) -> bool {
    let joins = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        !line[..at].ends_with(joins) && (word.ends_with('!') || !after.starts_with(joins))
    })
}

#[test]
fn nothing_is_left_for_later() {
    let folders = ["src/", "tests/", "migrations/", "mappings/"];
    let is_held =
        |file: &File| file.name.ends_with(".md") || folders.iter().any(|folder| file.name.starts_with(folder));
    let mut broken = Vec::new();
    for file in files("").into_iter().filter(is_held) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let word = FOR_LATER.iter().find(|word| is_for_later(line, word));
            broken.extend(word.map(|word| format!("{}:{number}: {word}", file.name)));
        }
    }
    hold("Do it now, or open an issue and say in the code what holds today:", &broken);
}

#[test]
fn arrows_are_told_apart() {
    let wrong = |name: &str, text: &str| wrong_arrows(name, text).len();
    assert_eq!(wrong("src/map/rule.rs", "use crate::{clock, record::{field, row}, map::path}; use super::path;"), 0);
    assert_eq!(wrong("src/map/rule.rs", "use crate::{clock, limit::{a, b}, store}; fn f() { crate::source::g() }"), 4);
    assert_eq!(
        wrong("src/clock.rs", "use crate::secret::Secret; mod tests { use super::*; use super::super::id; }"),
        0
    );
    assert_eq!(wrong("src/clock.rs", "use super::record::Value; use crate::*;"), 2);
    assert_eq!(wrong("src/record/mod.rs", "use self::row::Row; use super::map;"), 1);
    assert_eq!(wrong("src/main.rs", "fn main() { tidegate::serve::run(tidegate::cli::parse()) }"), 0);
}

#[test]
fn homes_are_found_by_path_not_by_text() {
    let text = "use std::{env, fs};\n// axum::Router\nlet a = env!(\"axum::B\");\nstd::env!(\"C\");\nlet b = tokio::time::Instant::now();";
    assert_eq!(spells(text, &["std", "env"]), [1]);
    assert_eq!(spells(text, &["axum"]), [0; 0]);
    assert_eq!(spells(text, &["Instant", "now"]), [5]);
}
