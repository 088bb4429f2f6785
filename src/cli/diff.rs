//! Differences for people: a line for each thing that was added (+), removed (-), changed (~) or moved (>).

use serde_json::Value;

/// Of a value in a line, in characters.
const LONGEST: usize = 100;

fn items<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of[name].as_array().into_iter().flatten()
}

fn word<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

/// `name: from → to`, for what has a `from` and a `to` by name.
pub fn of_members(members: &Value) -> Vec<String> {
    let members = members.as_object().into_iter().flatten();
    members.map(|(name, moved)| format!("{name}: {} → {}", shown(&moved["from"]), shown(&moved["to"]))).collect()
}

/// Of a mapping: `rules` and `keys`.
pub fn of_mapping(diff: &Value) -> Vec<String> {
    let rules = &diff["rules"];
    let told = |rule: &Value| format!("{} → {}", word(rule, "from"), word(rule, "to"));
    let mut lines: Vec<_> = of_members(&diff["keys"]).into_iter().map(|line| format!("~ {line}")).collect();
    lines.extend(items(rules, "removed").map(|one| format!("- rule {}: {}", one["place"], told(&one["rule"]))));
    lines.extend(items(rules, "added").map(|one| format!("+ rule {}: {}", one["place"], told(&one["rule"]))));
    for one in items(rules, "changed") {
        lines.push(format!("~ rule {}: {}", one["place"], told(one)));
        lines.extend(of_members(&one["members"]).into_iter().map(|line| format!("    {line}")));
    }
    lines.extend(items(rules, "moved").map(|one| {
        let (rule, place) = (told(&one["rule"]), &one["place"]);
        format!("> rule {} was rule {}: {rule}", place["to"], place["from"])
    }));
    if lines.is_empty() && rules["reordered"] == true {
        lines.push("> the rules stand in another order, which changes nothing".to_owned());
    }
    lines
}

/// Of a module: `fields`, `events` and `settings`.
pub fn of_module(diff: &Value) -> Vec<String> {
    let mut lines: Vec<_> = of_members(&diff["settings"]).into_iter().map(|line| format!("~ {line}")).collect();
    for (kind, part) in [("field", "fields"), ("event", "events")] {
        let part = &diff[part];
        lines.extend(items(part, "removed").map(|one| format!("- {kind} {}", word(one, "name"))));
        lines.extend(items(part, "added").map(|one| format!("+ {kind} {} {}", word(one, "name"), word(one, "type"))));
        for one in items(part, "changed") {
            lines.push(format!("~ {kind} {}", word(one, "name")));
            lines.extend(of_members(&one["members"]).into_iter().map(|line| format!("    {line}")));
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Of a source: `settings`, `secretsReplaced` and `mapping`.
pub fn of_source(diff: &Value) -> Vec<String> {
    let mut lines: Vec<_> = of_members(&diff["settings"]).into_iter().map(|line| format!("~ {line}")).collect();
    if diff["secretsReplaced"] == true {
        lines.push("~ its secrets are replaced".to_owned());
    }
    lines.extend(of_mapping(&diff["mapping"]));
    lines
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_difference_is_a_line() {
        let diff = json!({
            "keys": { "when": { "from": null, "to": "@.a" } },
            "rules": {
                "added": [{ "place": 2, "rule": { "from": "$.b", "to": "b" } }],
                "removed": [{ "place": 1, "rule": { "from": "$.a", "to": "a" } }],
                "changed": [{ "place": 3, "from": "$.c", "to": "c", "members": { "take": { "from": null, "to": "first" } } }],
                "moved": [{ "rule": { "from": "$.d", "to": "d" }, "place": { "from": 5, "to": 4 } }],
                "reordered": true,
            },
        });
        let wanted = [
            "~ when: null → \"@.a\"",
            "- rule 1: $.a → a",
            "+ rule 2: $.b → b",
            "~ rule 3: $.c → c",
            "    take: null → \"first\"",
            "> rule 4 was rule 5: $.d → d",
        ];
        assert_eq!(of_mapping(&diff), wanted);
        let module = json!({ "settings": {}, "fields": { "added": [{ "name": "a", "type": "text" }] } });
        assert_eq!(of_module(&module), ["+ field a text"]);
    }
}
