//! Records, purely: field kinds and values, a module's shape, and the merge of what came in with what stands.
//! No SQL, no HTTP, no JSONPath.

pub mod alteration;
pub mod change;
pub mod cursor;
pub mod decimal;
pub mod definition;
pub mod edit;
pub mod event;
pub mod field;
pub mod merge;
pub mod nearest;
pub mod patch;
pub mod row;
pub mod shape;
pub mod value;
