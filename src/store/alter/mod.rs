//! A module altered or deleted while its events come in: in the transaction of a plan, which holds the module alone, so
//! that each event meets the old table or the new one. What stands in the way is found before anything is touched.

mod columns;
mod delete;
pub(super) mod indexes;
mod obstacle;
mod obstacles;
mod values;

pub use obstacle::{MOST_TOLD, Obstacle, Offender};

use super::edits::Numbering;
use super::layout::execute;
use super::{Store, StoreError, Tx, acquire, begin_reading, on, shapes, triggers};
use crate::clock::Timestamp;
use crate::id::ModuleId;
use crate::record::alteration::Alteration;
use crate::record::definition::Definition;
use crate::record::field::ModuleSlug;
use crate::record::shape::Shape;
use crate::store::dialect::Dialect;

/// The most records whose values are converted to another type in one go, or compared for a key of such values: as long
/// as that takes, the events of the module wait.
pub const MOST_CONVERTED: i64 = 200_000;

/// What becomes of a module that stands.
#[derive(Debug)]
pub enum ModuleStep {
    /// `from` is the number of the shape that is altered. Where only what is not of records differs, such as the events
    /// that it names, the number stays.
    Alter { from: i64, alteration: Box<Alteration> },
    /// With its table and its sources. What happened stays: events, changes, deliveries.
    Delete { from: i64, definition: Box<Definition> },
}

/// A module, as its table is named.
#[derive(Clone, Copy)]
struct Of<'a> {
    dialect: Dialect,
    id: ModuleId,
    slug: &'a ModuleSlug,
}

impl Of<'_> {
    fn shape(&self, definition: &Definition, number: i64) -> Result<Shape, StoreError> {
        let shape = definition.shape(self.id, self.slug.clone(), number);
        let corrupt = || StoreError::Corrupt(format!("the definition of module {}", self.slug));
        shape.map(|(shape, _)| shape).ok_or_else(corrupt)
    }
}

pub(super) async fn step(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    (id, slug): (ModuleId, &ModuleSlug),
    step: &ModuleStep,
    now: i64,
) -> Result<(), StoreError> {
    let of = Of { dialect, id, slug };
    match step {
        ModuleStep::Alter { from, alteration } => alter(tx, of, *from, alteration, now).await,
        ModuleStep::Delete { from, definition } => delete::delete(tx, of, *from, definition, now).await,
    }
}

impl Store {
    /// What of the records that stand is in the way of an alteration, as far as it can be found without holding anybody
    /// up. Altering looks again.
    pub async fn obstacles(&self, shape: &Shape, alteration: &Alteration) -> Result<Vec<Obstacle>, StoreError> {
        let mut conn = acquire(&self.read).await?;
        let mut tx = begin_reading(&mut conn).await?;
        obstacles::find(&mut tx, self.dialect, &shape.table(), alteration).await
    }
}

async fn alter(tx: &mut Tx<'_>, of: Of<'_>, from: i64, alteration: &Alteration, now: i64) -> Result<(), StoreError> {
    let Alteration { old, new, .. } = alteration;
    let number = new.number_after(old, from);
    let (before, after) = (of.shape(old, from)?, of.shape(new, number)?);
    if number != from {
        // On PostgreSQL this holds the table against edits, too: what is found from here on stays so.
        triggers::remove(tx, of.dialect, &before).await?;
        let found = obstacles::find(tx, of.dialect, &before.table(), alteration).await?;
        if !found.is_empty() {
            return Err(StoreError::InTheWay(found));
        }
        indexes::drop_old(tx, &before.table(), alteration).await?;
        columns::alter(tx, of, (number, &before.table()), alteration, now).await?;
        indexes::create_new(tx, &after.table(), alteration).await?;
        triggers::make(tx, of.dialect, &after).await?;
        number_edits(tx, of, now).await?;
        shapes::keep(tx, (of.id, of.slug, from), old).await?;
    }
    let text = "UPDATE modules SET shape = $2, definition = $3, updated_at = $4, version = version + 1 \
        WHERE id = $1 AND shape = $5";
    let document = to_json(new)?;
    let moved = on!(tx, tx => sqlx::query(text).bind(of.id.to_string()).bind(number).bind(document).bind(now).bind(from)
        .execute(&mut **tx).await?.rows_affected());
    if moved == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Edits by other SQL clients that wait have rows of the old shape: they come into the log before its end. No more of
/// them can come, since the table is held.
async fn number_edits(tx: &mut Tx<'_>, of: Of<'_>, now: i64) -> Result<(), StoreError> {
    let numbering = Numbering::new(of.dialect);
    let now = Timestamp::from_micros(now).unwrap_or_default();
    let text = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM edits WHERE module_id = $1 LIMIT 1) AS e";
    loop {
        let waiting: i64 =
            on!(&mut *tx, tx => sqlx::query_scalar(text).bind(of.id.to_string()).fetch_one(&mut **tx).await?);
        if waiting == 0 {
            return Ok(());
        }
        numbering.number(tx, &[], now).await?;
    }
}

/// A statement that alters a table: what another SQL client has built on it may forbid that.
async fn ddl(tx: &mut Tx<'_>, text: String) -> Result<(), StoreError> {
    execute(tx, text).await.map_err(|error| match obstacle::built_on(&error) {
        Some(obstacle) => StoreError::InTheWay(vec![obstacle]),
        None => error.into(),
    })
}

pub(super) fn to_json(definition: &Definition) -> Result<String, StoreError> {
    serde_json::to_string(definition).map_err(|error| StoreError::Corrupt(error.to_string()))
}
