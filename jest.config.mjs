import {codeDigests} from './scripts/code-digests.mjs';

export default async () => ({
  // As a bundle has them (src/codegen/generator-identity.ts, src/pipeline/reader-identity.ts).
  globals: await codeDigests(),
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
