export { type ComponentInventory, inventoryOf } from './inventory.ts';
export { inGibibytes, machineMemoryBytes } from './memory.ts';
