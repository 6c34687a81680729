export default {
  testEnvironment: 'node',
  injectGlobals: false,
  clearMocks: true,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {'^(\\.{1,2}/.*)\\.js$': '$1'},
  transform: {'^.+\\.ts$': '<rootDir>/scripts/jest-typescript.mjs'},
};
