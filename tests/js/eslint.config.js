// What all JavaScript holds itself to; `npm --prefix tests/js run lint` checks it, types included.
import js from "@eslint/js";
import stylistic from "@stylistic/eslint-plugin";
import globals from "globals";

export default [
  { ignores: ["**/node_modules/"] },
  js.configs.recommended,
  {
    files: ["**/*.{js,mjs}"],
    plugins: { stylistic },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "max-lines": ["error", { max: 400 }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true }],
      "no-else-return": "error",
      "no-shadow": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
      "stylistic/comma-dangle": ["error", "always-multiline"],
      "stylistic/eol-last": "error",
      "stylistic/max-len": ["error", { code: 120 }],
      "stylistic/no-multiple-empty-lines": ["error", { max: 1 }],
      "stylistic/no-trailing-spaces": "error",
      "stylistic/quotes": ["error", "double", { avoidEscape: true }],
      "stylistic/semi": "error",
    },
  },
  { files: ["pruneviz/widgets/**/*.js"], languageOptions: { globals: globals.browser } },
  {
    files: ["lessons/pages/**/*.js"],
    languageOptions: { sourceType: "script", globals: { ...globals.browser, INDEX: "readonly" } },
  },
  { files: ["tests/js/**"], languageOptions: { globals: globals.node } },
];
