//! A change of configuration: everything of a plan or nothing, in one transaction. Batches of an altered module wait
//! outside, so that no event meets half a shape.

use super::dialect::{Dialect, Type, sql};
use super::endpoints::EndpointStep;
use super::layout::{self, execute};
use super::mappings::{self, NewVersion};
use super::sources::Kept;
use super::table::{index_name, lock_of};
use super::{Store, StoreError, Tx, acquire, begin, on, triggers};
use crate::clock::Timestamp;
use crate::id::{EndpointId, ModuleId, SourceId};
use crate::map::rule::{LONGEST_MATCH_VALUE, can_identify};
use crate::record::definition::Definition;
use crate::record::field::{FieldName, Kind, ModuleSlug, SourceSlug};
use crate::record::shape::Shape;

/// What is to be made so, in order. Texts are the documents as storage keeps them.
#[derive(Debug)]
pub enum Step {
    CreateModule {
        id: ModuleId,
        slug: ModuleSlug,
        definition: Definition,
    },
    /// The definition replaces the one of shape number `from`; new fields become columns, new keys indexes. Where only
    /// the events that it names differ, the number stays.
    AlterModule {
        id: ModuleId,
        slug: ModuleSlug,
        from: i64,
        old: Definition,
        definition: Definition,
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
    AddToken {
        source: SourceId,
        digest: String,
    },
    ReplaceSecrets {
        source: SourceId,
        sealed: Vec<Vec<u8>>,
    },
    /// One that the sender brought.
    KeepSecret {
        source: SourceId,
        sealed: Vec<u8>,
    },
    /// A kept one, which is shown once.
    ShowSecret {
        source: SourceId,
    },
    Endpoint {
        id: EndpointId,
        step: EndpointStep,
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
    /// [`StoreError::Duplicates`] when a key's index cannot be built over the records that stand.
    pub async fn carry_out(&self, version: i64, steps: &[Step], now: Timestamp) -> Result<(), StoreError> {
        let altered = steps.iter().filter_map(|step| match step {
            Step::AlterModule { id, .. } => Some(lock_of(*id)),
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
            Step::AlterModule { id, slug, from, old, definition } => {
                alter_module(tx, self.dialect, (*id, slug, *from), (old, definition), now).await
            }
            Step::CreateSource { id, module, slug, settings } => {
                let text = "INSERT INTO sources (id, module_id, slug, settings, mapping_version, created_at, updated_at) \
                    VALUES ($1, $2, $3, $4, 0, $5, $5)";
                let (id, module) = (id.to_string(), module.to_string());
                on!(tx, tx => sqlx::query(text).bind(id).bind(module).bind(slug.as_str()).bind(settings).bind(now)
                    .execute(&mut **tx).await.map(|_| ()))?;
                Ok(())
            }
            Step::AlterSource { id, settings } => {
                let text = "UPDATE sources SET settings = $2, updated_at = $3 WHERE id = $1";
                on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(settings).bind(now)
                    .execute(&mut **tx).await.map(|_| ()))?;
                Ok(())
            }
            Step::AddMapping { source, new } => mappings::add(tx, *source, new, now).await,
            Step::AddToken { source, digest } => {
                let text = "INSERT INTO tokens (digest, source_id, created_at) VALUES ($1, $2, $3)";
                on!(tx, tx => sqlx::query(text).bind(digest).bind(source.to_string()).bind(now)
                    .execute(&mut **tx).await.map(|_| ()))?;
                Ok(())
            }
            Step::ReplaceSecrets { source, sealed } => replace_secrets(tx, *source, (sealed, None), now).await,
            Step::KeepSecret { source, sealed } => {
                replace_secrets(tx, *source, (std::slice::from_ref(sealed), Some(Kept::Unseen)), now).await
            }
            Step::ShowSecret { source } => {
                let text = "UPDATE secrets SET kept = $2 WHERE source_id = $1 AND kept = $3";
                let (seen, unseen) = (Kept::Seen.as_str(), Kept::Unseen.as_str());
                let moved = on!(tx, tx => sqlx::query(text).bind(source.to_string()).bind(seen).bind(unseen)
                    .execute(&mut **tx).await?.rows_affected());
                if moved == 1 { Ok(()) } else { Err(StoreError::Conflict) }
            }
            Step::Endpoint { id, step } => super::endpoints::step(tx, *id, step, now).await,
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

fn shape(
    definition: &Definition,
    id: ModuleId,
    slug: &ModuleSlug,
    number: i64,
) -> Result<(Shape, Vec<Vec<usize>>), StoreError> {
    let corrupt = || StoreError::Corrupt(format!("the definition of module {slug}"));
    definition.shape(id, slug.clone(), number).ok_or_else(corrupt)
}

async fn create_module(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    (id, slug): (ModuleId, &ModuleSlug),
    definition: &Definition,
    now: i64,
) -> Result<(), StoreError> {
    let (shape, keys) = shape(definition, id, slug, 1)?;
    execute(tx, layout::create(dialect, &shape, &shape.table())).await?;
    for key in &keys {
        create_index(tx, &shape, key).await?;
    }
    triggers::make(tx, dialect, &shape).await?;
    let text = "INSERT INTO modules (id, slug, shape, definition, created_at, updated_at, triggers) \
        VALUES ($1, $2, 1, $3, $4, $4, $5)";
    let document = to_json(definition)?;
    on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(slug.as_str()).bind(document).bind(now)
        .bind(triggers::VERSION).execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}

async fn create_index(tx: &mut Tx<'_>, shape: &Shape, key: &[usize]) -> Result<(), sqlx::Error> {
    let columns = shape.names(key).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let (name, table) = (index_name(shape, key), shape.table());
    execute(tx, format!("CREATE UNIQUE INDEX \"{name}\" ON \"{table}\" ({columns})")).await
}

/// A text that no event's match value can equal would make a second record of the next event. Looked through in pages:
/// only texts that are not plain ASCII of a fair length come here.
async fn check_texts(tx: &mut Tx<'_>, shape: &Shape, key: &[usize]) -> Result<(), StoreError> {
    const PAGE: usize = 1_000;
    let texts = key.iter().map(|place| &shape.fields[*place]).filter(|field| field.kind == Kind::Text);
    for (field, table) in texts.map(|field| (&field.name, shape.table())) {
        let text = format!(
            "SELECT \"_id\", \"{field}\" FROM \"{table}\" WHERE \"_id\" > $1 AND (\"{field}\" = '' OR \
             octet_length(\"{field}\") > {LONGEST_MATCH_VALUE} OR octet_length(\"{field}\") <> length(\"{field}\")) \
             ORDER BY \"_id\" LIMIT {PAGE}"
        );
        let mut after = String::new();
        loop {
            let text = sql(text.clone());
            let rows: Vec<(String, String)> =
                on!(&mut *tx, tx => sqlx::query_as(text).bind(&after).fetch_all(&mut **tx).await)?;
            if rows.iter().any(|(_, text)| !can_identify(text)) {
                return Err(StoreError::Unmatchable);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => after.clone_from(last),
                _ => break,
            }
        }
    }
    Ok(())
}

async fn alter_module(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    (id, slug, from): (ModuleId, &ModuleSlug, i64),
    (old, definition): (&Definition, &Definition),
    now: i64,
) -> Result<(), StoreError> {
    let (shape, keys) = shape(definition, id, slug, definition.number_after(old, from))?;
    triggers::remove(tx, dialect, &shape).await?;
    let had = |name: &FieldName| old.fields.iter().any(|field| field.name == *name);
    for field in shape.fields.iter().filter(|field| !had(&field.name)) {
        let column = layout::column(dialect, field.name.as_str(), Type::from(&field.kind));
        execute(tx, format!("ALTER TABLE \"{}\" ADD COLUMN {column}", shape.table())).await?;
    }
    for (key, names) in keys.iter().zip(&definition.keys) {
        if !old.keys.contains(names) {
            check_texts(tx, &shape, key).await?;
            create_index(tx, &shape, key).await?;
        }
    }
    for names in old.keys.iter().filter(|names| !definition.keys.contains(names)) {
        let key = names.iter().filter_map(|name| shape.place(name.as_str())).collect::<Vec<_>>();
        execute(tx, format!("DROP INDEX \"{}\"", index_name(&shape, &key))).await?;
    }
    triggers::make(tx, dialect, &shape).await?;
    let text = "UPDATE modules SET shape = $2, definition = $3, updated_at = $4 WHERE id = $1 AND shape = $5";
    let document = to_json(definition)?;
    let moved = on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(shape.number).bind(document).bind(now).bind(from)
        .execute(&mut **tx).await?.rows_affected());
    if moved == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

async fn replace_secrets(
    tx: &mut Tx<'_>,
    source: SourceId,
    (sealed, kept): (&[Vec<u8>], Option<Kept>),
    now: i64,
) -> Result<(), StoreError> {
    let text = "DELETE FROM secrets WHERE source_id = $1";
    on!(tx, tx => sqlx::query(text).bind(source.to_string()).execute(&mut **tx).await.map(|_| ()))?;
    let text = "INSERT INTO secrets (source_id, place, sealed, created_at, kept) VALUES ($1, $2, $3, $4, $5)";
    let kept = kept.map(Kept::as_str);
    for (place, sealed) in (0i64..).zip(sealed) {
        on!(tx, tx => sqlx::query(text).bind(source.to_string()).bind(place).bind(sealed).bind(now).bind(kept)
            .execute(&mut **tx).await.map(|_| ()))?;
    }
    Ok(())
}

fn to_json(definition: &Definition) -> Result<String, StoreError> {
    serde_json::to_string(definition).map_err(|error| StoreError::Corrupt(error.to_string()))
}
