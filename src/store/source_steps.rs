//! Changes of one source's tokens and secrets, and its end. Each moves the source's version.

use super::endpoints::SealedSecret;
use super::sources::{Kept, StoredToken};
use super::{StoreError, Tx, on};
use crate::clock::Timestamp;
use crate::id::SourceId;

#[derive(Debug)]
pub enum SourceStep {
    /// These instead of those that there are.
    Tokens(Vec<StoredToken>),
    /// These instead of those that there are.
    Secrets {
        secrets: Vec<SealedSecret>,
        /// The one that there is was brought by the sender.
        kept: Option<Kept>,
        /// Marks of what a module file said of them.
        applied: Option<Vec<String>>,
    },
    /// The kept one was shown.
    SecretShown,
    /// With its tokens, secrets, mappings and counts. Its events and changes stay.
    Delete,
}

pub(super) async fn step(tx: &mut Tx<'_>, id: SourceId, step: &SourceStep, now: i64) -> Result<(), StoreError> {
    let id = id.to_string();
    if let SourceStep::Delete = step {
        return delete(tx, &id).await;
    }
    let text = "UPDATE sources SET version = version + 1, updated_at = $2 WHERE id = $1";
    let moved = on!(&mut *tx, tx => sqlx::query(text).bind(&id).bind(now).execute(&mut **tx).await?.rows_affected());
    one(moved)?;
    match step {
        SourceStep::Tokens(tokens) => replace_tokens(tx, &id, tokens).await,
        SourceStep::Secrets { secrets, kept, applied } => {
            let applied = applied.as_ref().map(serde_json::to_string).transpose();
            let applied = applied.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let text = "UPDATE sources SET applied_secrets = $2 WHERE id = $1";
            on!(&mut *tx, tx => sqlx::query(text).bind(&id).bind(applied).execute(&mut **tx).await.map(|_| ()))?;
            replace_secrets(tx, &id, secrets, *kept).await
        }
        SourceStep::SecretShown => {
            let text = "UPDATE secrets SET kept = $2 WHERE source_id = $1 AND kept = $3";
            let (seen, unseen) = (Kept::Seen.as_str(), Kept::Unseen.as_str());
            let moved = on!(&mut *tx, tx => sqlx::query(text).bind(&id).bind(seen).bind(unseen)
                .execute(&mut **tx).await?.rows_affected());
            one(moved)
        }
        SourceStep::Delete => Ok(()),
    }
}

fn one(moved: u64) -> Result<(), StoreError> {
    if moved == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Those that stay are not written anew: what they were used for meanwhile stays with them.
async fn replace_tokens(tx: &mut Tx<'_>, id: &str, tokens: &[StoredToken]) -> Result<(), StoreError> {
    let text = "SELECT digest FROM tokens WHERE source_id = $1";
    let there: Vec<String> = on!(&mut *tx, tx => sqlx::query_scalar(text).bind(id).fetch_all(&mut **tx).await)?;
    for gone in there.iter().filter(|digest| !tokens.iter().any(|token| token.digest == **digest)) {
        let text = "DELETE FROM tokens WHERE digest = $1";
        on!(&mut *tx, tx => sqlx::query(text).bind(gone).execute(&mut **tx).await.map(|_| ()))?;
    }
    for token in tokens {
        let text = "INSERT INTO tokens (digest, source_id, created_at, expires_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (digest) DO UPDATE SET expires_at = excluded.expires_at";
        let (created_at, expires_at) = (token.created_at.micros(), token.expires_at.map(Timestamp::micros));
        on!(&mut *tx, tx => sqlx::query(text).bind(&token.digest).bind(id).bind(created_at).bind(expires_at)
            .execute(&mut **tx).await.map(|_| ()))?;
    }
    Ok(())
}

async fn replace_secrets(
    tx: &mut Tx<'_>,
    id: &str,
    secrets: &[SealedSecret],
    kept: Option<Kept>,
) -> Result<(), StoreError> {
    let text = "DELETE FROM secrets WHERE source_id = $1";
    on!(&mut *tx, tx => sqlx::query(text).bind(id).execute(&mut **tx).await.map(|_| ()))?;
    let text =
        "INSERT INTO secrets (source_id, place, sealed, created_at, kept, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let kept = kept.map(Kept::as_str);
    for (place, secret) in (0i64..).zip(secrets) {
        let (created_at, expires_at) = (secret.created_at.micros(), secret.expires_at.map(Timestamp::micros));
        on!(&mut *tx, tx => sqlx::query(text).bind(id).bind(place).bind(&secret.sealed).bind(created_at).bind(kept)
            .bind(expires_at).execute(&mut **tx).await.map(|_| ()))?;
    }
    Ok(())
}

async fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    for text in [
        "DELETE FROM tokens WHERE source_id = $1",
        "DELETE FROM secrets WHERE source_id = $1",
        "DELETE FROM mappings WHERE source_id = $1",
        "DELETE FROM source_counts WHERE source_id = $1",
    ] {
        on!(&mut *tx, tx => sqlx::query(text).bind(id).execute(&mut **tx).await.map(|_| ()))?;
    }
    let text = "DELETE FROM sources WHERE id = $1";
    let gone = on!(&mut *tx, tx => sqlx::query(text).bind(id).execute(&mut **tx).await?.rows_affected());
    one(gone)
}
