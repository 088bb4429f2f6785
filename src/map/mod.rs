//! From the bytes of a request to what a record is given, purely: strict bodies, paths, transforms, rules.

pub mod body;
pub mod form;
pub mod input;
pub mod json;
pub mod lines;
pub mod mapping;
pub mod moment;
pub mod onlooker;
pub mod reference;
pub mod rule;
pub mod transform;
pub mod xml;
