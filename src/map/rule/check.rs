//! A rule against the shape of its module: every fault, with its key and the way out.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Node;

use super::{DEEPEST_CUSTOM_PATH, Default, OnMissing, OnNull, RawRule, Rule, Take, Target, match_text, without_nul};
use crate::condition::Condition;
use crate::map::input::Input;
use crate::map::json;
use crate::map::transform::Chain;
use crate::record::definition::no_field;
use crate::record::field::Kind;
use crate::record::nearest::{did_you_mean, nearest};
use crate::record::shape::Shape;
use crate::record::value::{Value, coerce};

impl Rule {
    /// `identifies` says which fields of the shape are part of a key.
    pub fn check(
        raw: &RawRule,
        shape: &Shape,
        identifies: impl Fn(usize) -> bool,
    ) -> Result<Self, Vec<(&'static str, String)>> {
        let mut faults = Vec::new();
        let from = given(&raw.from, "from", "$.payload.sku")
            .and_then(Input::check)
            .map_err(|detail| faults.push(("from", detail)));
        let target = given(&raw.to, "to", "product_code")
            .and_then(|to| target(to, shape))
            .map_err(|detail| faults.push(("to", detail)));
        if raw.required && matches!(target, Ok(Target::Custom(_))) {
            let detail = "a place in custom_data cannot be required; give the module a field for it";
            faults.push(("required", detail.to_owned()));
        }
        let transforms = Chain::check(&raw.transform)
            .map_err(|details| faults.extend(details.into_iter().map(|detail| ("transform", detail))));
        let take = raw.take.unwrap_or_default();
        faults.extend(from.as_ref().ok().and_then(|from| several_under_one(from, take)));
        if let (Ok(from), Ok(target), Ok(transforms)) = (&from, &target, &transforms) {
            let fit = transforms.check_fit(from, take, raw.on_empty.unwrap_or_default(), target.kind());
            faults.extend(fit.err());
        }
        let default = match (&raw.default, &target) {
            (Some(node), Ok(target)) => {
                check_default(node, target, &identifies).map(Some).map_err(|detail| faults.push(("default", detail)))
            }
            _ => Ok(None),
        };
        let when = raw.when.as_deref().map(Condition::compile).transpose();
        let when = when.map_err(|bad| faults.push(("when", bad.to_string())));
        faults.extend(no_default(raw));
        let (Ok(from), Ok(target), Ok(transforms), Ok(default), Ok(when), true) =
            (from, target, transforms, default, when, faults.is_empty())
        else {
            return Err(faults);
        };
        Ok(Self {
            identifies: matches!(target, Target::Field { place, .. } if identifies(place)),
            from,
            target,
            required: raw.required,
            default,
            on_missing: raw.on_missing.unwrap_or_default(),
            on_null: raw.on_null.unwrap_or_default(),
            on_empty: raw.on_empty.unwrap_or_default(),
            take,
            transforms,
            when,
            is_alternative: false,
        })
    }
}

fn several_under_one(from: &Input, take: Take) -> Option<(&'static str, String)> {
    let ways = "take = \"first\", \"last\", \"join\", \"count\" or \"json\"";
    let several = take == Take::One && !from.is_singular();
    several.then(|| ("take", format!("the path can find several nodes; say what becomes of them: {ways}")))
}

/// Falls back on what is not there.
fn no_default(raw: &RawRule) -> Option<(&'static str, String)> {
    let key = match (raw.on_missing, raw.on_null) {
        (Some(OnMissing::Default), _) => "on_missing",
        (_, Some(OnNull::Default)) => "on_null",
        _ => return None,
    };
    let detail = || format!("`{key}` falls back on a default, and the rule has none; write default = …");
    raw.default.is_none().then(|| (key, detail()))
}

fn given<'a>(text: &'a str, key: &str, example: &str) -> Result<&'a str, String> {
    if text.is_empty() { Err(format!("the rule has no `{key}`; write {key} = \"{example}\"")) } else { Ok(text) }
}

fn target(to: &str, shape: &Shape) -> Result<Target, String> {
    if to == "custom_data" || to.starts_with("custom_data.") {
        let path = to.split('.').skip(1).map(str::to_owned).collect::<Arc<[String]>>();
        let is_no_name = |name: &String| name.is_empty() || name.contains('\0') || json::is_reserved(name);
        if path.is_empty() || path.len() > DEEPEST_CUSTOM_PATH || path.iter().any(is_no_name) {
            return Err(format!(
                "a place in custom_data is custom_data.name, at most {DEEPEST_CUSTOM_PATH} names deep"
            ));
        }
        return Ok(Target::Custom(path));
    }
    match shape.place(to) {
        Some(place) => Ok(Target::Field { place, kind: shape.fields[place].kind.clone() }),
        None => Err(no_field(to, shape.fields.iter().map(|field| field.name.as_str()))),
    }
}

/// A default passes the checks that values pass.
fn check_default(node: &Node, target: &Target, identifies: impl Fn(usize) -> bool) -> Result<Default, String> {
    let checked = without_nul(Cow::Borrowed(node)).and_then(|node| match target {
        Target::Custom(_) => Ok(Default::Custom(node.into_owned())),
        Target::Field { place, kind } => match coerce(kind, &node)? {
            Value::Text(text) if identifies(*place) => match_text(&text).map(Value::Text).map(Default::Field),
            value => Ok(Default::Field(value)),
        },
    });
    checked.map_err(|error| match target {
        Target::Field { kind: Kind::Status(values), .. } if node.is_string() => {
            let near = node.as_str().and_then(|text| nearest(text, values.iter().map(String::as_str)));
            format!("{}{}", error.detail, did_you_mean(near, |value| format!("\"{value}\"")))
        }
        Target::Field { kind, .. } => format!("it does not fit the field, which is {}: {}", kind.name(), error.detail),
        Target::Custom(_) => error.detail,
    })
}
