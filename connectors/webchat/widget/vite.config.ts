import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    target: 'es2021',
    lib: { entry: 'src/index.ts', formats: ['iife'], name: 'FrontdeskChatWidget', fileName: () => 'widget.js' },
    minify: 'terser',
    terserOptions: { compress: { passes: 2 }, format: { comments: false } },
  },
});
