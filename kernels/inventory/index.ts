export { type ComponentInventory, inventoryOf } from './inventory.ts';
export { inGibibytes } from './memory.ts';
