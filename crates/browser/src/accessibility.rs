//! Lets axe-core check a page for people who use a keyboard or a screen reader, or who see badly.

use serde::Deserialize;

use crate::{Browser, Error, failed};

/// A rule that the page breaks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// The rule, e.g. `color-contrast`.
    pub id: String,
    /// `minor`, `moderate`, `serious` or `critical`.
    pub impact: String,
    /// What it asks for.
    pub help: String,
    /// Where it is broken: the start of each element, at the most five.
    pub elements: Vec<String>,
}

impl Violation {
    /// Whether it keeps a person from using the page, or makes that hard.
    #[must_use]
    pub fn is_serious(&self) -> bool {
        matches!(self.impact.as_str(), "serious" | "critical")
    }
}

impl Browser {
    /// Checks the page that is open against all rules of axe-core, as it is shown now: colours and width count.
    ///
    /// # Errors
    /// When axe-core cannot be read or does not run.
    pub async fn accessibility(&self) -> Result<Vec<Violation>, Error> {
        let path = &self.programs.axe;
        let axe = tokio::fs::read_to_string(path).await;
        let axe = axe.map_err(|source| Error::File { path: path.clone(), source })?;
        let what = "checking accessibility";
        self.session.execute(axe, Vec::new()).await.map_err(failed(what))?;
        let run = "const done = arguments[0];
            const found = rule => ({id: rule.id, impact: rule.impact ?? 'minor', help: rule.help,
                elements: rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200) + ' — ' + node.failureSummary)});
            axe.run(document, {resultTypes: ['violations']})
                .then(result => done({violations: result.violations.map(found), passes: result.passes.length}),
                      error => done(String(error)));";
        let answer = self.session.execute_async(run, Vec::new()).await.map_err(failed(what))?;
        let answer = answer.json().clone();
        // A run in which no rule passed has checked nothing.
        let has_looked = answer["passes"].as_u64().is_some_and(|passes| passes > 0);
        let violations = serde_json::from_value(answer["violations"].clone()).ok().filter(|_| has_looked);
        violations.ok_or_else(|| Error::Answer { what, answer: answer.to_string() })
    }
}
