//! Operators: the kill switch, and the configuration.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Workload;
use crate::oracles::Event;
use crate::seed::Draws;
use crate::world::Stated;

impl Workload {
    /// Sets the kill switch, for a while or for ever.
    pub(super) async fn switch(&self, until: Option<Duration>) {
        self.set_switch(true);
        if let Some(until) = until {
            sleep(until).await;
            self.around.network.trace.line("the kill switch is taken away");
            self.set_switch(false);
        }
    }

    fn set_switch(&self, is_on: bool) {
        self.around.configured.switch(is_on);
        self.host.deploy();
        self.tell();
    }

    /// Writes another version of the configuration.
    pub(super) async fn replace(&self, mut draws: Draws) {
        let next = self.around.configured.stated().next(&self.around.world.namespaces, &mut draws);
        self.put(next.into()).await;
    }

    /// Puts something there that cannot be used, and then what was meant.
    pub(super) async fn break_configuration(&self, until: Duration) {
        let configured = &self.around.configured;
        configured.break_it().await;
        self.deploy_file();
        sleep(until).await;
        self.around.network.trace.line("the configuration is repaired");
        self.put(configured.stated()).await;
    }

    async fn put(&self, stated: Arc<Stated>) {
        let configured = &self.around.configured;
        configured.replace(Arc::clone(&stated)).await;
        self.deploy_file();
        let each = stated.namespaces.iter().map(|namespace| {
            let (mode, sync) = (namespace.is_enforced, namespace.is_automatic);
            let rest = namespace.rest.as_deref().unwrap_or("none");
            format!("{} (enforce {mode}, automatic {sync}, rest {rest})", namespace.name)
        });
        let each: Vec<String> = each.collect();
        self.around.network.trace.line(format_args!("the configuration names {}", each.join(", ")));
        self.tell();
    }

    fn deploy_file(&self) {
        if !self.around.configured.is_blob {
            self.host.deploy();
        }
    }

    /// Tells the judge what is wanted now.
    fn tell(&self) {
        let (stated, kill_switch) = (self.around.configured.stated(), self.around.configured.kill_switch());
        let namespaces = &stated.namespaces;
        self.around.network.judge.see(&Event::Configured { namespaces, kill_switch });
    }
}
