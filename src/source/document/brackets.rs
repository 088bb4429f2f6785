//! Tables and lists where the other one belongs: `[source]`, `[[module]]`, `match = "code"`. What was meant is plain,
//! so it is told and the tree set right, that the rest can be checked as well.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::keys;
use super::read::Notes;
use super::tree::{Node, Way};
use crate::record::definition::{is_kind, key_in_path};
use crate::record::nearest::listed;

/// Keys that hold a list of texts; one text alone was meant as its only item.
const LISTS: &[&str] = &["match", "only", "values", "transform", "redact"];

pub fn set_right(tree: &mut DeTable<'_>, notes: &mut Notes<'_>) {
    let top = Way::default();
    one_table(tree, &top.key("module"), notes, "a file holds one [module], with one pair of brackets");
    fields(tree, &top.key("module").key("fields"), notes);
    fields_in_the_module(tree, &top.key("module"), notes);
    let detail = "write [[module.event]], with two pairs of brackets: a module may name several events";
    list_of_tables(tree, &top.key("module").key("event"), notes, detail);
    let sources = top.key("source");
    let has_no_head = sources.node(tree).is_some_and(|node| node.get_ref().as_table().is_some_and(is_only_rules));
    if has_no_head {
        notes.forgive(sources.item(0).key("slug"));
        let detail = "a rule belongs to the [[source]] above it, and there is none; write the line [[source]] and its \
                      slug above the first rule";
        list_of_tables(tree, &sources, notes, detail);
    }
    let detail = "write [[source]], with two pairs of brackets: a module may have several";
    list_of_tables(tree, &sources, notes, detail);
    for place in items(tree, &sources) {
        let source = sources.item(place);
        let detail = "write [[source.rule]], with two pairs of brackets: a source has several rules";
        list_of_tables(tree, &source.key("rule"), notes, detail);
        let detail = "write [[source.handshake]], with two pairs of brackets: a source may have several";
        list_of_tables(tree, &source.key("handshake"), notes, detail);
        for handshake in items(tree, &source.key("handshake")) {
            braces(tree, &source.key("handshake").item(handshake), "hmac", notes);
        }
        for key in ["signature", "rate_limit", "response", "keep"] {
            braces(tree, &source, key, notes);
        }
        for key in ["timestamp", "claims"] {
            braces(tree, &source.key("signature"), key, notes);
        }
        texts(tree, &source, notes);
        for rule in items(tree, &source.key("rule")) {
            texts(tree, &source.key("rule").item(rule), notes);
        }
    }
    texts(tree, &top.key("module"), notes);
}

/// `[[source.rule]]` without a `[[source]]` makes such a table.
fn is_only_rules(table: &DeTable<'_>) -> bool {
    table.len() == 1 && table.contains_key("rule")
}

/// The places of a list's items.
pub fn items(tree: &mut DeTable<'_>, way: &Way) -> Range<usize> {
    0..way.node(tree).and_then(|node| node.get_ref().as_array().map(|items| items.len())).unwrap_or_default()
}

fn list(item: Node<'_>) -> DeValue<'_> {
    DeValue::Array(DeArray::from_iter([item]))
}

fn take<'a>(node: &mut Node<'a>) -> Node<'a> {
    Spanned::new(node.span(), std::mem::replace(node.get_mut(), DeValue::Boolean(false)))
}

fn list_of_tables(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>, detail: &str) {
    let Some(node) = way.node(tree) else { return };
    if node.get_ref().is_table() {
        notes.at(way, node.span().start, detail);
        let only = take(node);
        *node.get_mut() = list(only);
    } else if node.get_ref().as_array().is_none_or(|items| !items.iter().all(|item| item.get_ref().is_table())) {
        notes.damaged(way, node.span().start, detail);
        *node.get_mut() = DeValue::Array(DeArray::new());
    }
}

/// The first of several is kept.
fn one_table(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>, detail: &str) {
    let Some(node) = way.node(tree) else { return };
    let DeValue::Array(tables) = node.get_ref() else { return };
    let second = tables.get(1).map_or(node.span(), Spanned::span);
    let first = tables.first().filter(|first| first.get_ref().is_table()).cloned();
    notes.at(way, second.start, detail);
    *node.get_mut() = first.map_or_else(|| DeValue::Table(DeTable::new()), Spanned::into_inner);
}

/// `fields = ["sku"]` and `[[module.fields]]` with a `name` each, as other tools have it.
fn fields(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    let Some(node) = way.node(tree) else { return };
    let DeValue::Array(listed) = node.get_ref() else { return keys_of_the_module(tree, way, notes) };
    let detail = "fields stand below the line [module.fields], one a line, by name and type: quantity = \"integer\"";
    notes.damaged(way, node.span().start, detail);
    let mut fields = DeTable::new();
    for item in listed {
        let name = match item.get_ref() {
            DeValue::Table(table) => table.get("name").and_then(|name| name.get_ref().as_str()),
            other => other.as_str(),
        };
        let Some(name) = name else { continue };
        let kind = item.get_ref().as_table().and_then(|table| table.get("type")).cloned();
        let text = || Spanned::new(item.span(), DeValue::String("text".into()));
        fields.insert(Spanned::new(item.span(), name.to_owned().into()), kind.unwrap_or_else(text));
    }
    *node.get_mut() = DeValue::Table(fields);
}

/// `match` and `name` written below [module.fields], where every line is a field.
fn keys_of_the_module(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    let Some((module, _)) = way.split() else { return };
    for key in ["slug", "name", "match"] {
        let lacks = module.table(tree).is_some_and(|module| !module.contains_key(key));
        let Some(fields) = way.table(tree) else { return };
        let is_type = |node: &Node<'_>| node.get_ref().is_table() || node.get_ref().as_str().is_some_and(is_kind);
        if !lacks || fields.get(key).is_none_or(is_type) {
            continue;
        }
        let Some((name, value)) = fields.remove_entry(key) else { continue };
        let detail = format!(
            "`{key}` stands below [module.fields], where every line is a field; write it above, below the line [module]"
        );
        notes.at(&way.key(key), name.span().start, &detail);
        module.table(tree).map(|module| module.insert(name, value));
    }
}

/// Fields without the line [module.fields] above them.
fn fields_in_the_module(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    let Some(module) = way.table(tree) else { return };
    let is_field = |key: &str, node: &Node<'_>| {
        let typed = |table: &DeTable<'_>| table.get("type").is_some_and(|kind| kind.get_ref().is_str());
        !keys::is_of_module(key)
            && (node.get_ref().as_str().is_some_and(is_kind) || node.get_ref().as_table().is_some_and(typed))
    };
    let found = module.iter().filter(|(key, node)| is_field(key.get_ref(), node));
    let found = found.map(|(key, _)| (key.get_ref().to_string(), key.span())).collect::<Vec<_>>();
    let Some((first, span)) = found.first() else { return };
    let names = listed(found.iter().map(|(name, _)| name.as_str()));
    let detail = format!("fields stand below a line [module.fields]; write it above these: {names}");
    notes.at(&way.key(first), span.start, &detail);
    let mut moved = DeTable::new();
    moved.extend(found.iter().filter_map(|(name, _)| module.remove_entry(name.as_str())));
    let key = Spanned::new(span.clone(), "fields".to_owned().into());
    let fields = module.entry(key).or_insert_with(|| Spanned::new(span.clone(), DeValue::Table(DeTable::new())));
    if let DeValue::Table(fields) = fields.get_mut() {
        fields.extend(moved);
    }
}

/// A table in braces where something else stands; a list would be read by the order of its items.
fn braces(tree: &mut DeTable<'_>, table: &Way, key: &str, notes: &mut Notes<'_>) {
    let way = table.key(key);
    if way.node(tree).is_some_and(|node| !node.get_ref().is_table()) {
        let at = way.start(tree).unwrap_or_default();
        notes.damaged(&way, at, &super::kinds::not_a_table(&way));
        table.table(tree).map(|table| table.remove(key));
    }
}

/// Lists of texts, of which one stands alone.
fn texts(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    for key in LISTS {
        let way = way.key(key);
        let Some(node) = way.node(tree) else { continue };
        let alone = match node.get_ref() {
            DeValue::String(text) => format!("\"{}\"", text.escape_debug()),
            DeValue::Table(table) if *key == "transform" => {
                let verb = table.keys().next().map_or_else(String::new, |verb| key_in_path(verb.get_ref()));
                format!("{{ {verb} = … }}")
            }
            _ => continue,
        };
        notes.at(&way, node.span().start, &format!("a list stands in brackets: {key} = [{alone}]"));
        let only = take(node);
        *node.get_mut() = list(only);
    }
}
