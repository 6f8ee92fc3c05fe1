//! The same queue-triggered job in several languages (`benches/contestants`), each a process that is started and called as the
//! Functions host does: Policysync, plain Node.js, plain Python, and axum alone as the floor.

pub mod load;
pub mod process;
mod wire;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use tempfile::TempDir;

use self::load::NAMESPACES;
use self::wire::Answer;
use crate::error::CampaignError;
use crate::stage::{beside, handler_program};
use crate::verdict::Verdict;

const NODE: &str = include_str!("../../benches/contestants/node.cjs");
const PYTHON: &str = include_str!("../../benches/contestants/python.py");
/// The program of the floor, beside this one.
const FLOOR: &str = "bare-axum";
/// What a runtime prints of itself: its own file, past wrappers such as those of version managers, and its version.
const NODE_TELLS: &str = "console.log(process.execPath + '\\n' + process.versions.node)";
const PYTHON_TELLS: &str = "import platform, sys; print(sys.executable); print(platform.python_version())";

/// Which files are measured.
#[derive(Args, Clone)]
pub struct Programs {
    /// The program to measure; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    pub handler: Option<PathBuf>,
    /// The package that holds it; without it the program's own size is told
    #[arg(long, value_name = "FILE")]
    pub package: Option<PathBuf>,
}

/// Who a contestant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The product.
    Policysync,
    /// Node.js, plain http.
    Node,
    /// Python, the standard library.
    Python,
    /// axum alone, which does nothing with what it reads.
    Floor,
}

/// A custom handler, and how it is started.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// Who it is.
    pub who: Who,
    /// As tables name it, with the version of its runtime.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its settings, beside the port.
    pub environment: Vec<(String, String)>,
    /// Bytes that are deployed.
    pub package_bytes: u64,
    /// Bytes of the runtime's own program, which the image has to bring.
    pub runtime_bytes: u64,
}

impl Contestant {
    /// Whether it did the job.
    ///
    /// # Errors
    /// What it answered instead.
    pub fn judge(&self, answer: &Answer, messages: usize) -> Result<(), CampaignError> {
        let judged = match self.who {
            Who::Floor => answer.envelope().map(drop),
            _ => load::judge(answer, messages),
        };
        judged
            .map_err(|problem| CampaignError::unanswered(format!("an invocation of {}", self.name), problem))
    }
}

/// All that could be found.
pub struct Field {
    /// The product first, the floor last.
    pub contestants: Vec<Contestant>,
    absent: Vec<String>,
    _folder: TempDir,
}

impl Field {
    /// Finds them.
    ///
    /// # Errors
    /// When the product or the floor is not there. A runtime that is not installed is left out, and said.
    pub fn gather(programs: &Programs) -> Result<Self, CampaignError> {
        let folder = TempDir::with_prefix("contestants-").map_err(CampaignError::file("a folder"))?;
        let mut field = Self { contestants: Vec::new(), absent: Vec::new(), _folder: folder };
        field.contestants.push(policysync(programs, field._folder.path())?);
        for (who, name, found, file, text) in [
            (Who::Node, "Node.js", runtime(["node", "-e"], NODE_TELLS), "node.cjs", NODE),
            (Who::Python, "Python", python(), "python.py", PYTHON),
        ] {
            let Some((program, version)) = found else {
                field.absent.push(format!("{name} is not installed"));
                continue;
            };
            let script = field._folder.path().join(file);
            std::fs::write(&script, text).map_err(CampaignError::file(script.display().to_string()))?;
            field.contestants.push(Contestant {
                who,
                name: format!("{name} {version}"),
                runtime_bytes: size(&program)?,
                program,
                arguments: vec![script.display().to_string()],
                environment: Vec::new(),
                package_bytes: text.len() as u64,
            });
        }
        let floor = beside(FLOOR)?;
        field.contestants.push(Contestant {
            who: Who::Floor,
            name: "axum alone (floor)".to_owned(),
            package_bytes: size(&floor)?,
            program: floor,
            arguments: Vec::new(),
            environment: Vec::new(),
            runtime_bytes: 0,
        });
        Ok(field)
    }

    /// Says who was left out.
    pub fn tell_absent(&self, verdict: &mut Verdict) {
        self.absent.iter().for_each(|absent| verdict.absent(absent));
    }
}

/// The product, with settings with which it talks to no service: its records are in memory, and the measured messages lead to no
/// call. Its configuration goes into `folder`.
///
/// # Errors
/// When it is not there.
pub fn policysync(programs: &Programs, folder: &Path) -> Result<Contestant, CampaignError> {
    let program = handler_program(programs.handler.as_deref())?;
    let configuration = folder.join("policysync.toml");
    let namespace = |index| format!("[[namespace]]\nid = \"{}\"\n\n", load::namespace_id(index));
    std::fs::write(&configuration, (0..NAMESPACES).map(namespace).collect::<String>())
        .map_err(CampaignError::file(configuration.display().to_string()))?;
    let package_bytes = size(programs.package.as_deref().unwrap_or(&program))?;
    let environment = [
        ("POLICYSYNC_CONFIG", configuration.display().to_string()),
        ("POLICYSYNC_STATE", "memory".to_owned()),
        ("ServiceBusConnection__fullyQualifiedNamespace", "contoso.servicebus.windows.net".to_owned()),
    ];
    Ok(Contestant {
        who: Who::Policysync,
        name: "Policysync".to_owned(),
        program,
        arguments: vec!["serve".to_owned()],
        environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        package_bytes,
        runtime_bytes: 0,
    })
}

/// The file of Python, and its version.
pub fn python() -> Option<(PathBuf, String)> {
    runtime(["python3", "-c"], PYTHON_TELLS)
}

/// The file of a runtime, and its version.
fn runtime([program, option]: [&str; 2], tells: &str) -> Option<(PathBuf, String)> {
    let output = Command::new(program).args([option, tells]).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let mut lines = said.lines();
    Some((PathBuf::from(lines.next()?), lines.next()?.to_owned()))
}

/// Bytes of a file, wherever a link leads.
fn size(file: &Path) -> Result<u64, CampaignError> {
    let data = std::fs::metadata(file).map_err(CampaignError::file(file.display().to_string()))?;
    Ok(data.len())
}
