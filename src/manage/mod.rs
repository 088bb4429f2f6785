//! What can be asked of a gateway, one verb a file: `(gateway, caller, input) -> Result<Output, Problem>`, with the
//! role check and the audit inside. API, command line, `--apply` and `demo` call the same verbs.

pub mod apply;
pub mod authenticate;
pub mod caller;
pub mod cancel_job;
mod change_source;
pub mod change_view;
pub mod create_job;
pub mod create_source;
pub mod delivery_view;
pub mod export;
pub mod get_delivery;
pub mod get_event;
pub mod get_job;
pub mod get_module;
pub mod get_payload;
pub mod get_record;
pub mod get_source;
pub mod job_view;
pub mod keep_secret;
pub mod list_changes;
pub mod list_deliveries;
pub mod list_events;
pub mod list_jobs;
pub mod list_modules;
pub mod list_presets;
pub mod list_records;
pub mod list_sources;
pub mod mapping;
pub mod page;
pub mod precondition;
pub mod remove_secrets;
pub mod retry_delivery;
pub mod reveal_secret;
pub mod view;
pub mod webhook;
