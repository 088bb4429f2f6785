//! What a gateway starts on: its data directory, its database, its keys, and a place among the replicas.

use std::sync::Arc;

use super::StartError;
use super::data_dir::DataDir;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Database, database_file};
use crate::id::ReplicaId;
use crate::secret::{ExposeSecret, SealKey};
use crate::store::{Connect, Store};

pub(super) struct Opened {
    pub data_dir: DataDir,
    pub store: Arc<Store>,
    pub seal: SealKey,
    pub replica: ReplicaId,
}

pub(super) async fn open(config: &Config, clock: &Clock) -> Result<Opened, StartError> {
    let data_dir = DataDir::open(config)?;
    let store = Arc::new(Store::connect(&connect(config)).await?);
    if store.has_clock() {
        clock.follow(store.now().await?);
    }
    let seal = data_dir.seal_key(config)?;
    let setup = store.set_up(&seal.id(), clock.now()).await?;
    if setup.seal_key != seal.id() {
        return Err(StartError::SealKey { database: setup.seal_key, ours: seal.id() });
    }
    if !setup.has_owner {
        make_owner(&store, &data_dir, clock.now()).await?;
    }
    store.watch_tables().await?;
    let replica = ReplicaId::new(clock.now());
    store.beat(replica, clock.now()).await?;
    // Before the first event: once one of a day stands outside, that day's partition cannot be made any more.
    store.make_partitions(clock.now()).await?;
    Ok(Opened { data_dir, store, seal, replica })
}

async fn make_owner(store: &Store, data_dir: &DataDir, now: Timestamp) -> Result<(), StartError> {
    let key = crate::secret::generate(crate::secret::API_KEY);
    // Written first: a key that only the database knows opens nothing.
    data_dir.write_admin_key(&key)?;
    let digest = crate::secret::hex(&crate::secret::digest(key.expose_secret()));
    if !store.add_first_owner(&digest, now).await? {
        // Another replica was first, and has the key that counts.
        data_dir.remove_admin_key()?;
    }
    Ok(())
}

fn connect(config: &Config) -> Connect {
    match &config.database {
        Database::Sqlite => Connect::Sqlite { file: database_file(&config.data_dir) },
        Database::Postgres { url, direct_url } => Connect::Postgres { url: url.clone(), direct: direct_url.clone() },
    }
}
