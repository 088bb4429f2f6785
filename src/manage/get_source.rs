//! One source.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::source::Of;
use crate::manage::source::view::{SourceView, seen};
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn get_source(gateway: &Gateway, caller: &Caller, module: &str, slug: &str) -> Result<SourceView, Problem> {
    caller.needs(Role::Viewer)?;
    seen(gateway, Of { module, source: slug, condition: None }).await
}
