//! Modules as files: what applying them would change nothing of. Never with a secret.

use serde::Serialize;

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::source::write::{self, Secrets, Written};
use crate::store::keys::Role;
use crate::store::modules::StoredModule;
use crate::store::sources::StoredSource;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Exported {
    pub files: Vec<ExportedFile>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExportedFile {
    /// The module's slug and `.toml`.
    pub name: String,
    pub text: String,
}

/// One module, or all by slug.
pub async fn export(gateway: &Gateway, caller: &Caller, module: Option<&str>) -> Result<Exported, Problem> {
    caller.needs(Role::Viewer)?;
    let (modules, sources) = read(gateway).await?;
    let wanted = modules.iter().filter(|stored| module.is_none_or(|slug| stored.slug().as_str() == slug));
    let files = wanted.map(|stored| file(stored, &sources)).collect::<Result<Vec<_>, _>>()?;
    if module.is_some() && files.is_empty() {
        return Err(Problem::new(Code::NotFound, "there is no module of this name"));
    }
    Ok(Exported { files })
}

/// As of one version of the configuration: a mapping must not be written beside the fields of another.
async fn read(gateway: &Gateway) -> Result<(Vec<StoredModule>, Vec<StoredSource>), Problem> {
    loop {
        let version = gateway.store.config_version().await?;
        let (modules, sources) = (gateway.store.modules().await?, gateway.store.sources().await?);
        if gateway.store.config_version().await? == version {
            return Ok((modules, sources));
        }
    }
}

fn file(module: &StoredModule, sources: &[StoredSource]) -> Result<ExportedFile, Problem> {
    let own = sources.iter().filter(|source| source.module == module.id());
    let written = own.map(|source| Written {
        slug: source.slug.as_str(),
        settings: &source.settings,
        mapping: &source.mapping,
        secrets: secrets(source),
    });
    let slug = module.slug().as_str();
    let text = write::file(slug, &module.definition, &written.collect::<Vec<_>>()).map_err(|faults| {
        let errors = faults.iter().map(|fault| serde_json::json!({ "field": fault.at, "detail": fault.detail }));
        let detail = format!("part of the module {slug} is of a form that no module file can have");
        Problem::new(Code::Conflict, detail).with_errors(errors.collect())
    })?;
    Ok(ExportedFile { name: format!("{slug}.toml"), text })
}

fn secrets(source: &StoredSource) -> Secrets {
    match source.kept {
        Some(_) => Secrets::Kept,
        None if source.settings.secret_names.is_empty() && !source.secrets.is_empty() => Secrets::Given,
        None => Secrets::Named,
    }
}
