//! JSON Merge Patch (RFC 7396): objects are merged member by member, null removes one, anything else replaces. Pure.

use serde_json::Value;

use super::row::CustomData;

/// Merges `patch` into `target`.
pub fn apply(target: &mut CustomData, patch: &CustomData) {
    for (name, wanted) in patch {
        match wanted {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(members) => {
                let place = target.entry(name.clone()).or_insert(Value::Null);
                if !place.is_object() {
                    *place = Value::Object(CustomData::new());
                }
                if let Some(inner) = place.as_object_mut() {
                    apply(inner, members);
                }
            }
            other => {
                target.insert(name.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The cases of RFC 7396, appendix A, that begin and end with an object.
    #[test]
    fn the_cases_of_the_standard() {
        for (target, patch, wanted) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.as_object().unwrap().clone();
            apply(&mut merged, patch.as_object().unwrap());
            assert_eq!(Value::Object(merged), wanted, "{target} and {patch}");
        }
    }
}
