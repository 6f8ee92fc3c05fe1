//! The worlds that come with the program: one of each generation of the service, and one that is between them.

use clap::ValueEnum;

use crate::commands::laptop::local_world::BuiltIn;
#[cfg(test)]
use crate::commands::laptop::local_world::DEFAULT_CONFIGURATION;

/// Which generation of the service the demo shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Generation {
    /// Credentials, policies, and a sync that is asked for.
    #[default]
    A,
    /// Certificate authorities, which the service pushes to hubs by itself.
    B,
    /// A namespace that moves from the first to the second while groups are being created.
    Migrating,
}

impl Generation {
    /// Its fleet and its configuration; `None`: the default ones.
    pub fn built_in(self) -> Option<BuiltIn> {
        match self {
            Self::A => None,
            Self::B => Some(BuiltIn {
                fleet: include_str!("worlds/certificate-authorities.fleet.toml"),
                configuration: include_str!("worlds/certificate-authorities.policysync.toml"),
            }),
            Self::Migrating => Some(BuiltIn {
                fleet: include_str!("worlds/migrating.fleet.toml"),
                configuration: include_str!("worlds/migrating.policysync.toml"),
            }),
        }
    }

    #[cfg(test)]
    fn configuration(self) -> &'static str {
        self.built_in().map_or(DEFAULT_CONFIGURATION, |world| world.configuration)
    }
}

/// A story that is not about a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tale {
    /// From a namespace without any authority to a device that connects, under a root of the customer's own. It needs OpenSSL
    /// 3 on the PATH.
    OwnRoot,
}

impl Tale {
    /// Its fleet and its configuration.
    pub fn built_in(self) -> BuiltIn {
        match self {
            Self::OwnRoot => BuiltIn {
                fleet: include_str!("worlds/own-root.fleet.toml"),
                configuration: include_str!("worlds/own-root.policysync.toml"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use azure_simulator::fleet::Fleet;
    use certificate_management::configuration::Configuration;

    use super::*;

    #[test]
    fn every_world_can_be_used_and_its_configuration_is_about_its_fleet() {
        for generation in [Generation::A, Generation::B, Generation::Migrating] {
            let fleet = generation
                .built_in()
                .map_or_else(Fleet::default_fleet, |world| Fleet::from_toml(world.fleet).unwrap());
            let configuration = Configuration::parse(generation.configuration()).unwrap();
            assert_eq!(configuration.namespaces.len(), fleet.namespaces.len());
            for namespace in &configuration.namespaces {
                assert_eq!(namespace.id.subscription(), fleet.subscription);
                assert!(fleet.namespaces.iter().any(|known| known.name == namespace.id.name()));
            }
        }
    }
}
