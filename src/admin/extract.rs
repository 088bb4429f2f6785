//! What every API request is asked for: its caller, by the key, and the names in its path.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::gateway::{Gateway, Peer};
use crate::manage::authenticate::authenticate;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::bearer;

pub struct Authenticated(pub Caller);

impl FromRequestParts<Arc<Gateway>> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Problem> {
        // The listener has told of every request; one without an address shares that of all such.
        let address = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address);
        authenticate(gateway, bearer(&parts.headers), address).map(Self)
    }
}

/// The names in a path. One that is not UTF-8 names nothing.
pub struct Named<T>(pub T);

impl<T: serde::de::DeserializeOwned + Send> FromRequestParts<Arc<Gateway>> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, gateway).await;
        path.map(|Path(names)| Self(names)).map_err(|_| Code::NotFound.into())
    }
}
