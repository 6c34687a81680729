import type {Json} from '../model/canonical-json.js';
import type {Manifest} from './manifest.js';

/** The kind of build, as verifiers of provenance know it. */
const BUILD_TYPE = 'urn:flashfreeze:release:1';

/**
 * The provenance of a release, as an in-toto Statement (v1) with the provenance predicate of SLSA 1.0. Times are left out,
 * which that allows: the statement is to be the same wherever the release is rebuilt.
 */
export function provenanceOf(manifest: Manifest, manifestDigest: string): Json {
  const {archive, name, recipe, flags, tools, inputs, flashfreeze} = manifest;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      {name: archive.name, digest: {sha256: archive.sha256}},
      {name: `${name}.manifest.json`, digest: {sha256: manifestDigest}},
    ],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {python: manifest.python, recipe},
        internalParameters: {flags},
        resolvedDependencies: [
          ...tools.map(({name: tool, version, sha256}) => ({
            name: tool,
            annotations: {version},
            ...(sha256 === null ? {} : {digest: {sha256}}),
          })),
          ...[recipe.profile ?? [], inputs]
            .flat()
            .map(({name: input, sha256}) => ({name: input, digest: {sha256}})),
        ],
      },
      runDetails: {
        builder: {
          id: 'urn:flashfreeze',
          version: {flashfreeze: flashfreeze.version},
          builderDependencies: [{name: 'generator', digest: {sha256: flashfreeze.generator}}],
        },
      },
    },
  };
}
