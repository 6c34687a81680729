import {generatorDigest} from './scripts/generator-digest.mjs';

export default async () => ({
  // As a bundle has it (src/codegen/generator-identity.ts).
  globals: {FLASHFREEZE_GENERATOR: await generatorDigest()},
  testEnvironment: 'node',
  injectGlobals: false,
  clearMocks: true,
  // For tests that hang: how fast a machine is decides about no test.
  testTimeout: 120_000,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {'^(\\.{1,2}/.*)\\.js$': '$1'},
  transform: {'^.+\\.ts$': '<rootDir>/scripts/jest-typescript.mjs'},
});
