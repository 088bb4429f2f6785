//! A new connection: look-up, judgement, dialling, perhaps a tunnel, TLS; each within its time.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tower_service::Service;
use url::{Host, Url};

use super::failure::Broken;
use super::resolve::Resolve;
use super::tls::{Tls, Trust};
use super::trace::{Dialled, Trace};
use super::wire::{Stream, Wire};
use super::{Limits, authorization};
use crate::clock::Clock;
use crate::config::Proxy;
use crate::deliver::exchange::ErrorClass;
use crate::deliver::target::{BadTarget, Targets};

/// Of a name with more addresses only so many are tried; all of them are judged.
const MOST_DIALLED: usize = 4;

#[derive(Clone)]
pub(super) struct Connector(Arc<Dialler>);

struct Dialler {
    limits: Limits,
    clock: Clock,
    targets: Targets,
    proxy: Option<Proxy>,
    resolver: Arc<dyn Resolve>,
    tls: Tls,
}

impl Connector {
    pub fn new(
        limits: Limits,
        clock: Clock,
        targets: Targets,
        proxy: Option<Proxy>,
        resolver: Arc<dyn Resolve>,
        trust: Trust,
    ) -> Self {
        Self(Arc::new(Dialler { limits, clock, targets, proxy, resolver, tls: Tls::new(trust) }))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Broken>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let (dialler, trace) = (Arc::clone(&self.0), Trace::current());
        Box::pin(async move { dialler.open(&origin, &trace).await.map(TokioIo::new) })
    }
}

impl Dialler {
    async fn open(&self, origin: &Uri, trace: &Trace) -> Result<Wire, Broken> {
        // The one reading of a host that counts, here as when it was saved.
        let url = Url::parse(&origin.to_string()).map_err(|_| refused(BadTarget::NotUrl))?;
        let addresses = match &self.proxy {
            Some(proxy) => self.look_up(&proxy.host, proxy.port, trace).await?,
            None => self.judged(&url, trace).await?,
        };
        let begun = self.clock.monotonic();
        let (tcp, address) = self.dial(&addresses, trace).await?;
        let is_secure = url.scheme() == "https";
        let tcp = match &self.proxy {
            Some(proxy) if is_secure => self.tunnel(tcp, origin, proxy).await?,
            _ => tcp,
        };
        trace.note(|steps| steps.connect = Some(self.since(begun)));
        let stream: Box<dyn Stream> =
            if is_secure { Box::new(self.secure(tcp, &url, trace).await?) } else { Box::new(tcp) };
        let wire = Wire::new(stream, Dialled { address, at: begun, by: trace.clone() }, self.limits.answer_bytes);
        Ok(if self.proxy.is_some() && !is_secure { wire.proxied() } else { wire })
    }

    /// All addresses of the target. One that is forbidden spoils them all: a name that mixes inside and outside is an
    /// attempt, or a mistake that must be seen.
    async fn judged(&self, url: &Url, trace: &Trace) -> Result<Vec<SocketAddr>, Broken> {
        self.targets.judge(url).map_err(refused)?;
        let host = url.host().ok_or_else(|| refused(BadTarget::NotUrl))?;
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = self.look_up(&host.to_owned(), port, trace).await?;
        for address in &addresses {
            self.targets.admit(*address).map_err(|why| {
                tracing::debug!(%host, %address, "a delivery was kept from an address that is not allowed");
                refused(why)
            })?;
        }
        Ok(addresses)
    }

    async fn look_up(&self, host: &Host, port: u16, trace: &Trace) -> Result<Vec<SocketAddr>, Broken> {
        let name = match host {
            Host::Ipv4(address) => return Ok(vec![SocketAddr::from((*address, port))]),
            Host::Ipv6(address) => return Ok(vec![SocketAddr::from((*address, port))]),
            Host::Domain(name) => name,
        };
        let begun = self.clock.monotonic();
        let found = timeout(self.limits.lookup, self.resolver.resolve(name)).await;
        trace.note(|steps| steps.dns = Some(self.since(begun)));
        let no_answer = |_| Broken::new(ErrorClass::Dns, "the name's servers do not answer");
        let found: Vec<IpAddr> = found.map_err(no_answer)?.map_err(|_| no_address())?;
        if found.is_empty() {
            return Err(no_address());
        }
        Ok(found.into_iter().map(|ip| SocketAddr::from((ip, port))).collect())
    }

    /// One after the other, so that each has its share of the time that is left.
    async fn dial(&self, addresses: &[SocketAddr], trace: &Trace) -> Result<(TcpStream, SocketAddr), Broken> {
        let begun = self.clock.monotonic();
        let tried = &addresses[..addresses.len().min(MOST_DIALLED)];
        let mut last = no_address();
        for (address, still) in tried.iter().zip((1..=tried.len()).rev()) {
            trace.note(|steps| steps.address = Some(*address));
            let left = self.limits.connect.saturating_sub(self.since(begun));
            let share = left / u32::try_from(still).unwrap_or(u32::MAX);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    // A delivery is written at once; waiting for more to send only delays it.
                    let _ = tcp.set_nodelay(true);
                    return Ok((tcp, *address));
                }
                Ok(Err(error)) => last = Broken::io(ErrorClass::Connect, "cannot connect", &error),
                Err(_) => last = Broken::new(ErrorClass::Connect, "cannot connect: nothing answers there"),
            }
        }
        Err(last)
    }

    async fn tunnel(&self, tcp: TcpStream, origin: &Uri, proxy: &Proxy) -> Result<TcpStream, Broken> {
        let mut tunnel = Tunnel::new(origin.clone(), Opened(Some(TokioIo::new(tcp))));
        if let Some(authorization) = authorization(proxy) {
            tunnel = tunnel.with_auth(authorization);
        }
        let opened = timeout(self.limits.connect, tunnel.call(origin.clone())).await;
        let opened = opened.map_err(|_| Broken::new(ErrorClass::Connect, "the egress proxy does not answer"))?;
        opened.map(TokioIo::into_inner).map_err(|_| Broken::new(ErrorClass::Connect, "the egress proxy refuses"))
    }

    async fn secure(&self, tcp: TcpStream, url: &Url, trace: &Trace) -> Result<TlsStream<TcpStream>, Broken> {
        let begun = self.clock.monotonic();
        let connector = self.tls.connector().map_err(Broken::tls)?;
        let name = server_name(url).ok_or_else(|| Broken::new(ErrorClass::Tls, "the host cannot be named in TLS"))?;
        let done = timeout(self.limits.tls, connector.connect(name, tcp)).await;
        trace.note(|steps| steps.tls = Some(self.since(begun)));
        let done = done.map_err(|_| Broken::new(ErrorClass::Tls, "the TLS handshake is not answered"))?;
        done.map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => Broken::tls(error),
            None => Broken::io(ErrorClass::Tls, "the TLS handshake broke off", &error),
        })
    }

    fn since(&self, begun: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(begun)
    }
}

fn refused(why: BadTarget) -> Broken {
    Broken::new(ErrorClass::TargetNotAllowed, why)
}

fn no_address() -> Broken {
    Broken::new(ErrorClass::Dns, "the name has no address")
}

/// Certificates know no dot at the end of a name.
fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::from(address).into()),
        Host::Ipv6(address) => Some(IpAddr::from(address).into()),
        Host::Domain(name) => ServerName::try_from(name.strip_suffix('.').unwrap_or(name).to_owned()).ok(),
    }
}

/// What [`Tunnel`] dials: it is open already.
struct Opened(Option<TokioIo<TcpStream>>);

impl Service<Uri> for Opened {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Ready<std::io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| std::io::ErrorKind::NotConnected.into()))
    }
}
