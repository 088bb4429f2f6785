//! The secrets of a source when files are applied: those that were rotated since a file named them stay, unless what it
//! names is another by now.

use super::{Known, WantedSource};
use crate::id::SourceId;
use crate::record::definition::Fault;
use crate::secret::{CannotOpen, ExposeSecret, SecretString};
use crate::source::Settings;
use crate::store::endpoints::SealedSecret;
use crate::store::source_steps::SourceStep;
use crate::store::sources::StoredSource;

impl Known<'_> {
    /// What is to be done with the secrets; `None` when those that stand stay.
    pub(super) fn secrets(
        &self,
        id: SourceId,
        stored: Option<&StoredSource>,
        wanted: &WantedSource,
    ) -> Result<Option<SourceStep>, Fault> {
        let context = id.to_string();
        let given = self.given(stored, wanted)?;
        let opened = stored.map(|stored| self.opened(stored)).unwrap_or_default();
        let scheme = wanted.settings.signature.as_ref();
        let check = |secret: &SecretString| scheme?.check_secret(secret.expose_secret().as_bytes()).err();
        let wrong = match &given {
            Some(given) => given.iter().find_map(check),
            None => opened.iter().find_map(|(_, secret)| check(secret)),
        };
        if let Some(detail) = wrong {
            return Err(Fault::new("signature.secret", detail));
        }
        let Some(given) = given else { return Ok(None) };
        let marks = given.iter().map(|secret| self.seal.mark(secret, &context)).collect::<Vec<_>>();
        let applied = (!wanted.settings.secret_names.is_empty()).then_some(marks);
        let (said, kept) = stored.map_or((None, None), |stored| (stored.applied_secrets.as_ref(), stored.kept));
        // The file says what it said before; what was rotated since stays.
        if said.is_some() && said == applied.as_ref() && !opened.is_empty() {
            return Ok(None);
        }
        let lasting = opened.iter().filter(|(sealed, _)| sealed.expires_at.is_none());
        let stand = lasting.map(|(_, secret)| secret.expose_secret()).eq(given.iter().map(ExposeSecret::expose_secret));
        if stand && (said.is_none() || applied.is_none()) {
            return Ok(None);
        }
        if stand {
            // The file has caught up with a rotation.
            let secrets = opened.into_iter().map(|(sealed, _)| sealed.clone()).collect();
            return Ok(Some(SourceStep::Secrets { secrets, kept, applied }));
        }
        let sealed = given.iter().map(|secret| self.seal.seal(secret, &context));
        let secrets = sealed.map(|sealed| SealedSecret { sealed, created_at: self.now, expires_at: None });
        Ok(Some(SourceStep::Secrets { secrets: secrets.collect(), kept: None, applied }))
    }

    /// The active secrets; none when they cannot be opened.
    fn opened<'s>(&self, stored: &'s StoredSource) -> Vec<(&'s SealedSecret, SecretString)> {
        let context = stored.id.to_string();
        let open = |sealed: &'s SealedSecret| Ok((sealed, self.seal.open(&sealed.sealed, &context)?));
        let opened = stored.active_secrets(self.now).map(open);
        opened.collect::<Result<_, CannotOpen>>().unwrap_or_default()
    }

    /// What comes with the request; `None` when it says nothing of secrets.
    fn given(&self, stored: Option<&StoredSource>, wanted: &WantedSource) -> Result<Option<Vec<SecretString>>, Fault> {
        if let Some(given) = &wanted.secrets {
            return Ok(Some(given.clone()));
        }
        let names = &wanted.settings.secret_names;
        let signed = |settings: &Settings| settings.signature.is_some();
        if names.is_empty() && signed(&wanted.settings) && stored.is_some_and(|stored| signed(&stored.settings)) {
            // Those given by other means stay; but what a handshake brought was never seen by an admin, and is of no
            // other scheme.
            let is_foreign =
                |stored: &StoredSource| stored.kept.is_some() && stored.settings.signature != wanted.settings.signature;
            return Ok(stored.is_some_and(is_foreign).then(Vec::new));
        }
        let value = |name: &String| self.secrets.get(name.trim_start_matches("env:")).cloned();
        let given = names.iter().filter_map(value).collect::<Vec<_>>();
        let stands = |stored: &StoredSource| {
            let active = stored.active_secrets(self.now).next().is_some();
            !names.is_empty() && stored.settings.secret_names == *names && active
        };
        if given.is_empty() && stored.is_some_and(stands) {
            return Ok(None);
        }
        if given.len() < names.len() {
            let lacking = names.iter().filter(|name| value(name).is_none()).map(String::as_str).collect::<Vec<_>>();
            let detail = format!("{} is not set where this was applied from", lacking.join(", "));
            return Err(Fault::new("signature.secret", detail));
        }
        Ok(Some(given))
    }
}
