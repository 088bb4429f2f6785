//! What a rule puts into a record, and what that takes.

use crate::record::merge::{CustomPut, FieldPut, Put};
use crate::record::value::{Value, weight};

/// What a rule puts, by kind of target.
#[derive(Debug)]
pub enum RulePut {
    Field(FieldPut),
    Custom(CustomPut),
}

impl RulePut {
    /// The bytes that it takes in memory, roughly.
    pub fn weight(&self) -> usize {
        match self {
            Self::Field(FieldPut { put: Put::Value(put), .. }) => size_of::<FieldPut>() + put.weight(),
            Self::Field(put) => size_of::<FieldPut>() + put.default.as_ref().map_or(0, Value::weight),
            Self::Custom(put) => {
                let nodes = put.node.iter().chain(&put.default);
                size_of::<CustomPut>() + nodes.map(|node| weight(node, usize::MAX)).sum::<usize>()
            }
        }
    }
}
