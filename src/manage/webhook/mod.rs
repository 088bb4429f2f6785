//! Endpoints, which the API calls webhooks: one verb a file. What a webhook may say stands in `draft.rs`, with its parts
//! in `members.rs`, `headers.rs` and `names.rs`.

mod audited;
pub mod change;
pub mod change_webhook;
pub mod create_webhook;
pub mod delete_webhook;
pub mod disable_webhook;
mod draft;
pub mod enable_webhook;
pub mod get_webhook;
mod headers;
pub mod list_profiles;
pub mod list_webhooks;
pub(super) mod members;
mod names;
pub mod promote_secret;
pub mod rotate_secret;
mod sample;
pub mod test_webhook;
pub mod view;
