//! One webhook.

use super::change::seen;
use super::view::WebhookView;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn get_webhook(gateway: &Gateway, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
    caller.needs(Role::Viewer)?;
    seen(gateway, id).await
}
