//! Where log lines go and how they look.

mod limit;
mod one_line;

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::options::LogFormat;

pub use one_line::one_line;

/// Starts logging to standard error: `info` and above, unless `RUST_LOG` says otherwise, and
/// warnings only as often as anybody can read them.
///
/// QUIC and TLS report ordinary lost peers as warnings; the stream's own lines say it better.
pub fn start(format: LogFormat) {
    start_with("info,quinn=error,quinn_proto=error,rustls=error", format);
}

/// The same with `warn` and above: for commands whose own output goes to standard error.
pub fn start_quiet() {
    start_with("warn", LogFormat::Human);
}

fn start_with(usual: &str, format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let lines = match format {
        LogFormat::Human => human(std::io::stderr, std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => fmt::layer().with_writer(std::io::stderr).json().boxed(),
    };
    // A second call (only tests do that) keeps the first logger.
    let _ = registry().with(lines).with(limit::Limit::default()).with(filter).try_init();
}

/// Lines for people, an event each.
fn human<S, W>(writer: W, ansi: bool) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    fmt::layer().with_writer(writer).with_ansi(ansi).fmt_fields(one_line::OneLine)
}
