//! A change of configuration: everything of a plan or nothing, in one transaction. Batches of an altered module wait
//! outside, so that no event meets half a shape.

use super::alter::{ModuleStep, indexes, to_json};
use super::dialect::Dialect;
use super::endpoints::EndpointStep;
use super::keys::KeyStep;
use super::layout::{self, execute};
use super::mappings::{self, NewVersion};
use super::source_steps::SourceStep;
use super::table::lock_of;
use super::{Store, StoreError, Tx, acquire, begin, on, triggers};
use crate::clock::Timestamp;
use crate::id::{EndpointId, KeyId, ModuleId, SourceId};
use crate::record::definition::Definition;
use crate::record::field::{ModuleSlug, SourceSlug};

/// What is to be made so, in order. Texts are the documents as storage keeps them.
#[derive(Debug)]
pub enum Step {
    CreateModule {
        id: ModuleId,
        slug: ModuleSlug,
        definition: Definition,
    },
    Module {
        id: ModuleId,
        slug: ModuleSlug,
        step: ModuleStep,
    },
    CreateSource {
        id: SourceId,
        module: ModuleId,
        slug: SourceSlug,
        settings: String,
    },
    AlterSource {
        id: SourceId,
        settings: String,
    },
    AddMapping {
        source: SourceId,
        new: NewVersion,
    },
    Source {
        id: SourceId,
        step: SourceStep,
    },
    Endpoint {
        id: EndpointId,
        step: EndpointStep,
    },
    Key {
        id: KeyId,
        step: KeyStep,
    },
    /// An event of the gateway itself, for the log of changes; `data` is a JSON object.
    SystemEvent {
        name: &'static str,
        data: String,
        actor: String,
    },
    Audit {
        actor: String,
        action: &'static str,
        target: String,
        detail: String,
        address: Option<String>,
    },
}

impl Store {
    pub async fn config_version(&self) -> Result<i64, StoreError> {
        let text = "SELECT config_version FROM gateway";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?)
    }

    /// Carries the plan out if the configuration is still at `version`; answers [`StoreError::Conflict`] if not, and
    /// [`StoreError::InTheWay`] when the records that stand forbid it.
    pub async fn carry_out(&self, version: i64, steps: &[Step], now: Timestamp) -> Result<(), StoreError> {
        let altered = steps.iter().filter_map(|step| match step {
            Step::Module { id, .. } => Some(lock_of(*id)),
            _ => None,
        });
        let mut locks = altered.collect::<Vec<_>>();
        locks.sort_unstable();
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_plan(&locks)).await?;
        let text = "UPDATE gateway SET config_version = config_version + 1 WHERE config_version = $1";
        let moved = on!(&mut tx, tx => sqlx::query(text).bind(version).execute(&mut **tx).await?.rows_affected());
        if moved != 1 {
            return Err(StoreError::Conflict);
        }
        for step in steps {
            self.step(&mut tx, step, now.micros()).await?;
        }
        Ok(super::commit(tx).await?)
    }

    pub(super) async fn step(&self, tx: &mut Tx<'_>, step: &Step, now: i64) -> Result<(), StoreError> {
        match step {
            Step::CreateModule { id, slug, definition } => {
                create_module(tx, self.dialect, (*id, slug), definition, now).await
            }
            Step::Module { id, slug, step } => super::alter::step(tx, self.dialect, (*id, slug), step, now).await,
            Step::CreateSource { id, module, slug, settings } => {
                let text = "INSERT INTO sources (id, module_id, slug, settings, mapping_version, created_at, updated_at) \
                    VALUES ($1, $2, $3, $4, 0, $5, $5)";
                let (id, module) = (id.to_string(), module.to_string());
                on!(tx, tx => sqlx::query(text).bind(id).bind(module).bind(slug.as_str()).bind(settings).bind(now)
                    .execute(&mut **tx).await.map(|_| ()))?;
                Ok(())
            }
            Step::AlterSource { id, settings } => {
                let text = "UPDATE sources SET settings = $2, updated_at = $3, version = version + 1 WHERE id = $1";
                on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(settings).bind(now)
                    .execute(&mut **tx).await.map(|_| ()))?;
                Ok(())
            }
            Step::AddMapping { source, new } => mappings::add(tx, *source, new, now).await,
            Step::Source { id, step } => super::source_steps::step(tx, *id, step, now).await,
            Step::Endpoint { id, step } => super::endpoints::step(tx, *id, step, now).await,
            Step::Key { id, step } => super::keys::step(tx, *id, step, now).await,
            Step::SystemEvent { name, data, actor } => {
                super::changes::log_system_event(tx, self.dialect, (name, data, actor), now).await
            }
            Step::Audit { actor, action, target, detail, address } => {
                let text =
                    "INSERT INTO audit (at, actor, action, target, detail, address) VALUES ($1, $2, $3, $4, $5, $6)";
                on!(tx, tx => sqlx::query(text).bind(now).bind(actor).bind(*action).bind(target).bind(detail).bind(address)
                    .execute(&mut **tx).await.map(|_| ()))?;
                Ok(())
            }
        }
    }
}

async fn create_module(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    (id, slug): (ModuleId, &ModuleSlug),
    definition: &Definition,
    now: i64,
) -> Result<(), StoreError> {
    let corrupt = || StoreError::Corrupt(format!("the definition of module {slug}"));
    let (shape, _) = definition.shape(id, slug.clone(), 1).ok_or_else(corrupt)?;
    execute(tx, layout::create(dialect, &shape, &shape.table())).await?;
    for key in &definition.keys {
        indexes::create(tx, &shape.table(), definition, key).await?;
    }
    triggers::make(tx, dialect, &shape).await?;
    let text = "INSERT INTO modules (id, slug, shape, definition, created_at, updated_at, triggers) \
        VALUES ($1, $2, 1, $3, $4, $4, $5)";
    let document = to_json(definition)?;
    on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(slug.as_str()).bind(document).bind(now)
        .bind(triggers::VERSION).execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}
