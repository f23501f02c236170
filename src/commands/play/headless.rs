//! `stratus play --headless`: receives, decodes, checks and measures.

use std::time::Duration;

use stratus_stream::PlayerConfig;
use stratus_stream::core::link::Link;
use tokio::time::Instant;

use super::script::Script;
use super::{Over, PlayArgs, first_wish, is_enough, judge, report};
use crate::failure::{Failure, chain};
use crate::player::{Extras, Files, Received, Reception};
use crate::signals::{Said, Signals};

pub(super) async fn play(link: &Link, args: &PlayArgs) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(|e| Failure::new("listen to signals", e))?;
    // Before anybody is asked for anything, so that mistakes in it come at once.
    let script = args.input.as_deref().map(Script::read).transpose()?.unwrap_or_default();
    let player = Reception::join(link, PlayerConfig::default())
        .await
        .map_err(|e| Failure::new("join the session", chain(&e)))?;
    let files = Files::create(args.paths())?;
    let extras = Extras { dump: args.dump_ppm.clone(), show: None };
    let mut reception = Reception::start(player, files, extras)?;
    if let Some(resize) = first_wish(args) {
        reception.player.resize(resize);
    }

    let over = receive(&mut reception, &mut signals, script, args).await;

    let (player, mut rest) = reception.finish(|tally| !is_enough(tally, args)).await?;
    std::mem::take(&mut rest.files).finish()?;
    args.answers.as_deref().map_or(Ok(()), |path| rest.tally.answers.write(path))?;
    report(&rest, &over, None, args)?;
    player.close().await;
    judge(&over, &rest.tally, args)
}

async fn receive(
    reception: &mut Reception,
    signals: &mut Signals,
    mut script: Script,
    args: &PlayArgs,
) -> Over {
    let deadline = args.seconds.map(|s| Instant::now() + Duration::from_secs_f64(s));
    loop {
        tokio::select! {
            biased;
            said = signals.next() => if let Said::End(_) = said { return Over::Asked },
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)),
                if deadline.is_some() => return Over::Enough,
            () = tokio::time::sleep_until(script.due().unwrap_or_else(Instant::now)),
                if script.due().is_some() => script.go_on(reception),
            received = reception.next() => match received {
                Received::Frame if is_enough(&reception.tally, args) => return Over::Enough,
                Received::Frame => script.begin(),
                Received::Cursor(_) | Received::Rumble(_) | Received::Copied(_) => {}
                Received::End(reason) => return Over::End(reason),
                Received::Lost(why) => return Over::Lost(why),
                Received::NoDecoder => return Over::Asked,
            },
        }
    }
}
